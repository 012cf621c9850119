// Distances, hashes, spelling, text.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "host/base/digest.hpp"
#include "host/config/suggest.hpp"
#include "host/config/text.hpp"
#include "host/config/value.hpp"

namespace perrin::config::test {
namespace {

// NIST, FIPS 180-4 examples (SHA1.pdf, SHA256.pdf and the million-a message of the same suite).
TEST(Digest, HasThePublishedSums) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  Digest sha1(Digest::Algorithm::sha1);
  sha1.add("abc");
  EXPECT_EQ(hex_of(sha1.bytes()), "a9993e364706816aba3e25717850c26c9cd0d89d");
  sha1.add("dbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(hex_of(sha1.bytes()), "84983e441c3bd26ebaae4aa1f95129e5e54670f1") << "goes on behind a sum";
}

// Textbook pairs; optimal string alignment differs from the unrestricted distance on ca/abc (3, not 2).
TEST(EditDistance, TextbookPairs) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("saturday", "sunday"), 3);
  EXPECT_EQ(edit_distance("ca", "abc"), 3);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("cosien", "cosine"), 1);
  EXPECT_EQ(edit_distance("Min_SNR", "min-snr"), 0);
}

TEST(Nearest, FindsTyposAndPartsAndNothingFar) {
  const std::vector<std::string> names = {"fashion-mnist", "gaussian-mixture", "a", "unet"};
  EXPECT_EQ(nearest("fashion", names), "fashion-mnist");
  EXPECT_EQ(nearest("fasion-mnits", names), "fashion-mnist");
  EXPECT_EQ(nearest("unet2d", names), "unet");
  EXPECT_EQ(nearest("c", names), "");
  EXPECT_EQ(nearest("resnet-50", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'u'), names), "");
}

TEST(Spelling, ValuesReadBackTheSame) {
  EXPECT_EQ(to_toml(0.1), "0.1");
  EXPECT_EQ(to_toml(2.0), "2.0");
  EXPECT_EQ(to_toml(1e300), "1e+300");
  EXPECT_EQ(to_toml(-0.0), "-0.0");
  EXPECT_EQ(to_toml(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(to_toml(std::string_view("a\"b\\c\n\x01\x7f")), R"("a\"b\\c\n\u0001\u007F")");
  EXPECT_EQ(to_toml(Value(std::vector<std::string>{"a", "b"})), "[\"a\", \"b\"]");
  EXPECT_EQ(to_toml(Value(std::vector<double>{})), "[]");
  EXPECT_EQ(to_toml(Value(std::numeric_limits<int64_t>::min())), "-9223372036854775808");
}

TEST(Text, InvalidBytesAndControlsArePrintable) {
  EXPECT_EQ(printable("a\x1b[31mb\xff\tc"), "a?[31mb?\tc");
  EXPECT_EQ(printable("\xe2\x80\xae"), "?") << "direction override";
  EXPECT_EQ(count_characters("日本é"), 3);
  EXPECT_FALSE(is_utf8("\xc0\xaf")) << "overlong";
  EXPECT_FALSE(is_utf8("\xed\xa0\x80")) << "surrogate";
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80")) << "beyond U+10FFFF";
  EXPECT_FALSE(is_utf8("\xe6\x97")) << "cut";
  EXPECT_TRUE(is_utf8("\xef\xbf\xbd")) << "U+FFFD itself";
  EXPECT_EQ(quote(std::string(100, 'x'), 5), "\"xxxxx…\"");
}

}  // namespace
}  // namespace perrin::config::test
