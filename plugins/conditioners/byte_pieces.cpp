// Where GPT-2 cuts a text: the regular expression of its encoder,
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// read as a scanner.
#include <array>

#include "byte_bpe.hpp"
#include "code_points.hpp"

namespace text {
namespace {

enum class Class { letter, number, space, other };

Class class_of(int32_t c) {
  if (is_letter(c)) return Class::letter;
  if (is_number(c)) return Class::number;
  return is_space(c) ? Class::space : Class::other;
}

// The end of the run of this class that starts at `at`; `last`: where its last character starts.
size_t run_end(std::string_view text, size_t at, Class wanted, size_t* last = nullptr) {
  while (at < text.size()) {
    size_t behind = at;
    if (class_of(next_code_point(text, behind)) != wanted) return at;
    if (last != nullptr) *last = at;
    at = behind;
  }
  return at;
}

size_t ending(std::string_view rest) {
  for (const std::string_view end : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (rest.starts_with(end)) return end.size();
  return 0;
}

}  // namespace

size_t piece_end(std::string_view text, size_t at) {
  if (const size_t length = ending(text.substr(at))) return at + length;
  size_t first = text[at] == ' ' && at + 1 < text.size() ? at + 1 : at, behind = first;
  const Class own = class_of(next_code_point(text, behind));
  if (own != Class::space) return run_end(text, first, own);
  size_t last = at;
  const size_t end = run_end(text, at, Class::space, &last);
  return end == text.size() || last == at ? end : last;  // the last space belongs to what follows
}

std::vector<std::string_view> pieces(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = piece_end(text, at);
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

namespace {

struct Order {
  std::array<int64_t, 256> token;      // of a byte
  std::array<int32_t, 256> character;  // of a byte
  Order() {
    int64_t next = 0;
    const auto printed = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
    for (int b = 0; b < 256; ++b)
      if (printed(b)) token[static_cast<size_t>(b)] = next++, character[static_cast<size_t>(b)] = b;
    for (int b = 0, n = 0; b < 256; ++b)
      if (!printed(b)) token[static_cast<size_t>(b)] = next++, character[static_cast<size_t>(b)] = 256 + n++;
  }
};
const Order& order() {
  static const Order order;
  return order;
}

}  // namespace

int64_t token_of_byte(unsigned char byte) { return order().token[byte]; }

int byte_of_character(int32_t character) {
  for (size_t b = 0; b < 256; ++b)
    if (order().character[b] == character) return static_cast<int>(b);
  return -1;
}

}  // namespace text
