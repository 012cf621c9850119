#include "bpe.hpp"

#include <algorithm>
#include <perrin/cpp/plugin.hpp>

#include "byte_bpe.hpp"
#include "code_points.hpp"

namespace text {

using perrin::Failure;

namespace {

uint64_t key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

}  // namespace

std::vector<std::string> written_bytes() {
  std::vector<std::string> written(256);
  for (int32_t character = 0; character < 512; ++character)
    if (const int byte = byte_of_character(character); byte >= 0)
      append(written[static_cast<size_t>(token_of_byte(static_cast<unsigned char>(byte)))], character);
  return written;
}

Merges parse_merges(std::string_view text, const std::string& file) {
  Merges merges;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.ends_with('\r')) pair.remove_suffix(1);
    if (pair.empty() || (line == 1 && pair.starts_with("#version"))) continue;
    const size_t space = pair.find(' ');
    if (space == 0 || space >= pair.size() - 1 || pair.find(' ', space + 1) != pair.npos)
      throw Failure(PERRIN_INVALID_DATA, file + ", line " + std::to_string(line) +
                                             ": expected two tokens and a space "
                                             "between them (merges.txt), got \"" +
                                             std::string(pair.substr(0, 60)) + "\"");
    merges.emplace_back(pair.substr(0, space), pair.substr(space + 1));
  }
  return merges;
}

Bpe::Bpe(const Vocabulary& vocabulary, const Merges& merges, const std::string& end_of_word, int32_t unknown) {
  const auto token = [&](const std::string& written) {
    const auto found = vocabulary.find(written);
    return found == vocabulary.end() ? unknown : found->second;
  };
  const std::vector<std::string> written = written_bytes();
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string& own = written[static_cast<size_t>(token_of_byte(static_cast<unsigned char>(byte)))];
    inner_[byte] = token(own);
    last_[byte] = token(own + end_of_word);
  }
  int32_t rank = 0;
  for (const auto& [left, right] : merges) {
    for (const std::string& part : {left, right, left + right})
      if (!vocabulary.contains(part))
        throw Failure(PERRIN_INVALID_DATA, "merge " + std::to_string(rank + 1) + ", \"" + left + " " + right +
                                               "\": the vocabulary has no \"" + part +
                                               "\". Vocabulary and merges must be of the same model");
    merges_.emplace(key(token(left), token(right)), Merge{rank++, token(left + right)});
  }
}

const std::vector<int32_t>& Bpe::operator()(std::string_view word) {
  const auto known = words_.find(word);
  if (known != words_.end()) return known->second;
  std::vector<int32_t> tokens;
  for (char c : word) tokens.push_back(inner_[static_cast<uint8_t>(c)]);
  tokens.back() = last_[static_cast<uint8_t>(word.back())];
  std::erase(tokens, dropped);
  join(tokens);
  if (words_.size() >= most_words) return beyond_ = std::move(tokens);
  return words_.emplace(word, std::move(tokens)).first->second;
}

Bpe::Merge Bpe::merge_of(int32_t left, int32_t right) const {
  const auto found = merges_.find(key(left, right));
  return found == merges_.end() ? Merge{never, 0} : found->second;
}

void Bpe::join(std::vector<int32_t>& tokens) const {
  std::vector<Merge> pairs;  // pairs[i]: of tokens i and i + 1
  for (size_t i = 0; i + 1 < tokens.size(); ++i) pairs.push_back(merge_of(tokens[i], tokens[i + 1]));
  while (!pairs.empty()) {
    const auto best =
        std::min_element(pairs.begin(), pairs.end(), [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (best->rank == never) return;
    const auto i = static_cast<size_t>(best - pairs.begin());
    tokens[i] = best->token;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    pairs.erase(best);
    if (i > 0) pairs[i - 1] = merge_of(tokens[i - 1], tokens[i]);
    if (i < pairs.size()) pairs[i] = merge_of(tokens[i], tokens[i + 1]);
  }
}

}  // namespace text
