// Tokens per second of CLIP's tokenizer on a file of texts, one a line, by the vocabulary of a merges.txt. Prints one
// JSON line with the tokens of all texts, their checksum and the seconds of each pass; the first pass, in which words
// are met for the first time, by itself.
//
// Usage: text_bench MERGES TEXTS PASSES
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "plugins/conditioners/clip_bpe.hpp"

namespace {

std::string whole_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// FNV-1a over the tokens and the end of each text, as peer.py computes it.
struct Checksum {
  uint64_t value = 14695981039346656037ull;
  void add(uint64_t token) { value = (value ^ token) * 1099511628211ull; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: text_bench MERGES TEXTS PASSES\n", stderr), 2;
  const text::Merges merges = text::parse_merges(whole_file(argv[1]), argv[1]);
  text::ClipBpe bpe(text::ClipBpe::vocabulary_of(merges), merges);
  std::vector<std::string> texts;
  std::ifstream file(argv[2]);
  for (std::string line; std::getline(file, line);) texts.push_back(line);

  nlohmann::json result;
  for (int pass = 0; pass <= std::atoi(argv[3]); ++pass) {
    Checksum sum;
    size_t tokens = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string& one : texts) {
      const std::vector<int64_t> own = bpe.encode(one);
      tokens += own.size();
      for (const int64_t token : own) sum.add(static_cast<uint64_t>(token));
      sum.add(UINT32_MAX);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result["tokens"] = tokens;
    result["sum"] = sum.value;
    if (pass == 0)
      result["first_seconds"] = seconds;
    else
      result["seconds"].push_back(seconds);
  }
  std::puts(result.dump().c_str());
}
