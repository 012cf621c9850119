// Any bytes as a tokenizer's files, by the first byte: tokenizer.json, vocab.json with merges.txt, or SentencePiece's
// table of replacements. What is accepted gives tokens below its size, of a text behind the files' NULs too; the rest
// is one Failure. Everything else is a finding.
#include "perrin/cpp/text_file.hpp"
#include "plugins/conditioners/bpe.hpp"
#include "plugins/conditioners/charsmap.hpp"
#include "plugins/conditioners/clip_bpe.hpp"
#include "plugins/conditioners/tokenizer.hpp"
#include "tests/fuzz/input.hpp"

namespace text {
std::string whole_file(const std::string&);  // token_rows.hpp, which sees LibTorch
}

namespace {

using perrin::fuzz::require;
using perrin::fuzz::split;

std::string held;  // what a file holds

std::string utf8_of(std::string_view text) {
  std::string valid;
  for (size_t at = 0, length = 0; at < text.size(); at += std::max<size_t>(length, 1))
    if ((length = perrin::utf8_length(text, at)) > 0) valid += text.substr(at, length);
  return valid;
}

void require_tokens(const std::vector<int64_t>& tokens, int64_t size) {
  for (const int64_t token : tokens) require(token >= 0 && token < size);
}

void whole(std::string_view input) {
  const auto [json, text] = split(input);
  const text::Encoder encoder = text::parse_tokenizer(json, "tokenizer.json", {"", "</s>", ""});
  require(encoder.marks.last < encoder.size && encoder.marks.padding < encoder.size);
  for (const std::string& one : {text, std::string("A red circle's 42 \u00e9!\n")}) {
    const auto tokens = encoder.encode(one);
    require_tokens(tokens, encoder.size);
    require(encoder.encode(one) == tokens);
  }
}

void pair(std::string_view input) {
  const auto [vocabulary, rest] = split(input);
  const auto [merges, text] = split(rest);
  held = vocabulary;
  text::ClipBpe bpe(text::read_vocabulary("vocab.json", "vocabulary"), text::parse_merges(merges, "merges.txt"), true);
  require_tokens(bpe.encode(text), bpe.entries());
}

void charsmap(std::string_view input) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string base64;
  const std::string_view table = input.substr(std::min<size_t>(input.size(), 64));
  for (size_t i = 0; i * 6 < table.size() * 8; ++i) {
    const auto byte = [&](size_t at) { return at < table.size() ? static_cast<uint8_t>(table[at]) : 0u; };
    base64 += digits[(byte(i * 6 / 8) << 8 | byte(i * 6 / 8 + 1)) >> (10 - i * 6 % 8) & 63];
  }
  const std::string out = text::Charsmap(base64)(utf8_of(input.substr(0, 64)));
  require(utf8_of(out) == out);
}

}  // namespace

std::string text::whole_file(const std::string&) { return held; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input = perrin::fuzz::text_of(data + 1, size - 1);
  try {
    (data[0] == '{' ? whole(perrin::fuzz::text_of(data, size)) : data[0] == 'v' ? pair(input) : charsmap(input));
  } catch (const perrin::Failure& failure) {
    require(failure.code == PERRIN_INVALID_DATA);
  }
  return 0;
}
