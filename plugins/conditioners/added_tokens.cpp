#include "added_tokens.hpp"

#include <algorithm>

#include "code_points.hpp"

namespace text {
namespace {

bool is_word(int32_t c) { return is_letter(c) || is_number(c) || is_mark(c) || c == '_'; }

// The last code point of `text`; -1 of none.
int32_t last_of(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
  }
  return text.empty() ? -1 : next_code_point(text, at);
}
int32_t first_of(std::string_view text) {
  size_t at = 0;
  return text.empty() ? -1 : next_code_point(text, at);
}

// Bytes of white space where `text` begins, and where it ends.
size_t spaces_first(std::string_view text) {
  size_t end = 0;
  for (size_t behind = 0; behind < text.size() && is_space(next_code_point(text, behind));) end = behind;
  return end;
}
size_t spaces_last(std::string_view text) {
  size_t kept = 0;
  for (size_t at = 0; at < text.size();)
    if (!is_space(next_code_point(text, at))) kept = at;
  return text.size() - kept;
}

}  // namespace

AddedTokens::AddedTokens(const Json& list, const Normalise& normalise) : normalise_(normalise) {
  for (const Json& one : list) {
    Token token{one.at("content"), one.at("id"), one.value("single_word", false), one.value("lstrip", false),
                one.value("rstrip", false)};
    const bool normalised = one.value("normalized", !one.value("special", false));
    if (normalised) token.content = normalise(token.content);
    if (!token.content.empty()) (normalised ? normalised_ : raw_).push_back(std::move(token));
  }
  for (auto* tokens : {&raw_, &normalised_})
    std::ranges::stable_sort(*tokens, std::greater<>(), [](const Token& token) { return token.content.size(); });
}

std::vector<AddedTokens::Stretch> AddedTokens::operator()(const std::string& text) const {
  std::vector<Stretch> result;
  for (const Stretch& part : found(raw_, {text, true, {}})) {
    if (part.token) {
      result.push_back(part);
      continue;
    }
    const Stretch normal{normalise_(part.text), part.first && keeps_first(part.text), {}};
    for (Stretch& own : found(normalised_, normal)) result.push_back(std::move(own));
  }
  return result;
}

// Without its first code point, what is left is no longer where the whole text begins (pre_tokenizers/metaspace.rs asks
// for the offset 0 in what was given).
bool AddedTokens::keeps_first(const std::string& text) const {
  size_t end = 0;
  if (!text.empty()) next_code_point(text, end);
  return !normalise_(text.substr(0, end)).empty();
}

// added_vocabulary.rs, find_matches.
std::vector<AddedTokens::Stretch> AddedTokens::found(const std::vector<Token>& tokens, const Stretch& whole) const {
  std::vector<Stretch> result;
  const std::string_view text = whole.text;
  size_t behind = 0;  // of the last token
  const auto between = [&](size_t end) {
    if (end > behind) result.push_back({std::string(text.substr(behind, end - behind)), whole.first && behind == 0, {}});
  };
  for (size_t at = 0; at < text.size();) {
    const auto token = std::ranges::find_if(tokens, [&](const Token& t) { return text.substr(at).starts_with(t.content); });
    if (token == tokens.end()) {
      ++at;
      continue;
    }
    size_t first = at, end = at += token->content.size();
    if (token->single_word && (is_word(last_of(text.substr(0, first))) || is_word(first_of(text.substr(end))))) continue;
    if (token->lstrip) first = std::max(first - spaces_last(text.substr(0, first)), behind);
    if (token->rstrip) end += spaces_first(text.substr(end));
    if (end <= behind) continue;
    between(first);
    result.push_back({"", false, token->id});
    behind = end;
    at = std::max(at, end);
  }
  between(text.size());
  return result;
}

}  // namespace text
