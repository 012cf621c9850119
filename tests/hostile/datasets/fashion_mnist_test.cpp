// Fashion-MNIST files that are missing, cut, damaged or somebody else's: one clear message with file and reason each.
#include <gtest/gtest.h>

#include "tests/unit/plugins_a/idx_files.hpp"

namespace perrin::testing {
namespace {

const char* const image_file = "train-images-idx3-ubyte";
const char* const label_file = "train-labels-idx1-ubyte";

// What counting and reading the last sample of the folder says; empty: nothing is wrong.
std::string complaint(const Folder& folder) {
  return message_of([&] {
    const auto dataset = fashion(folder);
    uint64_t n = 0;
    dataset.invoke<&perrin_dataset::count>(&n);
    const uint64_t last = n - 1;
    Bytes image(784);
    int64_t label = 0;
    void* const buffers[] = {image.data(), &label};
    dataset.invoke<&perrin_dataset::read>(uint64_t{1}, &last, buffers);
  });
}

// The folder with these two files, plain or compressed.
std::string complaint(const Bytes& image_bytes, const Bytes& label_bytes, bool gz = false) {
  Folder folder;
  const std::string suffix = gz ? ".gz" : "";
  write(folder / (image_file + suffix), image_bytes);
  write(folder / (label_file + suffix), label_bytes);
  return complaint(folder);
}

void expect_says(const std::string& message, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << "got: " << message;
  EXPECT_EQ(message.find("Exception raised"), std::string::npos) << "a stack trace: " << message;
}

TEST(HostileFashionMnist, SoundFilesAreAccepted) {
  EXPECT_EQ(complaint(images(4), labels(4)), "");
  EXPECT_EQ(complaint(gzip(images(4)), gzip(labels(4)), true), "");
}

TEST(HostileFashionMnist, AMissingFolderNamesTheFourFilesAndThePlacesTried) {
  const auto dataset = builtin("dataset", "fashion-mnist", {{"folder", std::string("no/such/folder")}});
  uint64_t n = 0;
  const std::string message = message_of([&] { dataset.invoke<&perrin_dataset::count>(&n); });
  expect_says(message, {"no/such/folder", "/usr/share/datasets/no/such/folder", "train-images-idx3-ubyte",
                        "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
                        "dataset-fashion-mnist", "dataset.folder"});
}

TEST(HostileFashionMnist, AMissingFileIsNamed) {
  Folder folder;
  write(folder / image_file, images(4));
  expect_says(complaint(folder), {folder.string(), "neither", std::string(label_file) + ".gz"});
}

TEST(HostileFashionMnist, AFileThatIsNotIdxIsRefused) {
  const Bytes text = {'<', 'h', 't', 'm', 'l', '>', '<', '/', 'h', 't', 'm', 'l', '>', '\n', ' ', ' '};
  expect_says(complaint(text, labels(4)), {image_file, "starts with 3c 68 74 6d", "not an IDX file of images"});
  expect_says(complaint(images(4), text), {label_file, "starts with 3c 68 74 6d", "not an IDX file of labels"});
  expect_says(complaint({}, labels(4)), {image_file, "only 0 bytes"});
  expect_says(complaint({0, 0, 8}, labels(4)), {image_file, "only 3 bytes"});
}

TEST(HostileFashionMnist, ExchangedFilesAreRefused) {
  expect_says(complaint(labels(4), images(4)), {image_file, "starts with 00 00 08 01 instead of 00 00 08 03"});
}

TEST(HostileFashionMnist, AFileOfAnotherElementTypeIsRefused) {
  Bytes floats = images(4);
  floats[2] = 0x0d;
  expect_says(complaint(floats, labels(4)), {image_file, "00 00 0d 03"});
}

// Every length of a plain file, every length of a compressed one.
TEST(HostileFashionMnist, EveryTruncationIsNoticed) {
  const Bytes plain = images(2), packed = gzip(images(2)), few = labels(2), few_packed = gzip(labels(2));
  for (size_t n = 0; n < plain.size(); n += n < 40 ? 1 : 97) {
    const std::string message = complaint(Bytes(plain.begin(), plain.begin() + long(n)), few);
    expect_says(message, {image_file, n < 4 ? "not an IDX file" : "truncated"});
  }
  for (size_t n = 0; n < packed.size(); n += n < 40 || n + 40 > packed.size() ? 1 : 13) {
    const std::string message = complaint(Bytes(packed.begin(), packed.begin() + long(n)), few_packed, true);
    EXPECT_NE(message.find(image_file), std::string::npos) << n << " bytes of " << packed.size() << ": " << message;
  }
}

// A flipped bit in gzip data breaks the stream, its checksum or its length. Not looked at: the header of 10 bytes, and
// the last byte of the data before the trailer of 8, which padding fills.
TEST(HostileFashionMnist, EveryFlippedBitOfTheCompressedDataIsNoticed) {
  const Bytes packed = gzip(images(2)), few = gzip(labels(2));
  for (size_t byte = 10; byte<packed.size(); byte += byte + 20> packed.size() ? 1 : 7)
    for (int bit = 0; bit < 8 && byte + 9 != packed.size(); ++bit) {
      Bytes damaged = packed;
      damaged[byte] = static_cast<uint8_t>(damaged[byte] ^ (1 << bit));
      const std::string message = complaint(damaged, few, true);
      EXPECT_NE(message.find(image_file), std::string::npos) << "byte " << byte << " bit " << bit << ": " << message;
    }
}

TEST(HostileFashionMnist, CorruptGzipSaysSo) {
  Bytes damaged = gzip(images(2));
  damaged[damaged.size() - 6] ^= 0xff;
  expect_says(complaint(damaged, gzip(labels(2)), true), {image_file, "gzip data is corrupt"});
}

// Before a run has a folder the host only counts.
TEST(HostileFashionMnist, CountingFindsCorruptGzip) {
  Folder folder;
  Bytes damaged = gzip(images(2));
  damaged[damaged.size() - 6] ^= 0xff;
  write(folder / (std::string(image_file) + ".gz"), damaged);
  write(folder / (std::string(label_file) + ".gz"), gzip(labels(2)));
  const auto dataset = fashion(folder);
  uint64_t n = 0;
  expect_says(message_of([&] { dataset.invoke<&perrin_dataset::count>(&n); }), {image_file, "gzip data is corrupt"});
}

TEST(HostileFashionMnist, AHeaderThatLiesAllocatesNothing) {
  const uint32_t all = 0xffffffff, many = 1u << 28;
  expect_says(complaint(idx({many, 28, 28}, {1, 2, 3}), idx({many}, {1})), {image_file, "more than 2^30 values"});
  expect_says(complaint(idx({1u << 20, 28, 28}, {1, 2, 3}), idx({1u << 20}, {1})),
              {image_file, "holds 3 values", "822083584"});
  expect_says(complaint(idx({all, 28, 28}, {1, 2, 3}), idx({all}, {1})), {image_file, "more than 2^30 values"});
  expect_says(complaint(idx({all, all, all}, {}), labels(4)), {image_file, "4294967295x4294967295", "28x28"});
}

TEST(HostileFashionMnist, DataBeyondTheHeaderIsRefused) {
  Bytes longer = images(2);
  longer.push_back(0);
  expect_says(complaint(longer, labels(2)), {image_file, "goes on after the 1568 values"});
}

TEST(HostileFashionMnist, ImagesAndLabelsThatDoNotBelongTogetherAreRefused) {
  expect_says(complaint(images(4), labels(5)), {"holds 4 images", "5 labels", "do not belong together"});
  expect_says(complaint(idx({2, 32, 32}, Bytes(2048)), labels(2)), {image_file, "32x32", "28x28"});
  expect_says(complaint(idx({0, 28, 28}, {}), labels(0)), {image_file, "no images"});
  expect_says(complaint(images(2), idx({2}, {3, 10})), {label_file, "label 10 of sample 1"});
}

TEST(HostileFashionMnist, AFolderInPlaceOfAFileIsMissing) {
  Folder folder;
  fs::create_directory(folder / image_file);
  write(folder / label_file, labels(2));
  expect_says(complaint(folder), {"neither", image_file});
}

// Once repaired, the same instance works.
TEST(HostileFashionMnist, AFailureLeavesNothingBehind) {
  Folder folder;
  Bytes damaged = gzip(images(2));
  damaged[damaged.size() - 6] ^= 0xff;
  write(folder / (std::string(image_file) + ".gz"), damaged);
  write(folder / label_file, labels(2));
  const auto dataset = fashion(folder);
  const uint64_t index = 1;
  Bytes image(784);
  int64_t label = 0;
  void* const buffers[] = {image.data(), &label};
  const auto read = [&] { dataset.invoke<&perrin_dataset::read>(uint64_t{1}, &index, buffers); };
  EXPECT_NE(message_of(read), "");
  write(folder / (std::string(image_file) + ".gz"), gzip(images(2)));
  EXPECT_EQ(message_of(read), "");
  EXPECT_EQ(image[5], pixel(1, 5));
}

}  // namespace
}  // namespace perrin::testing
