#include "host/console/text_width.hpp"

#include "host/base/utf8.hpp"

namespace perrin::console {
namespace {

struct Piece {
  size_t bytes;
  int width;
};

// ESC [ parameters letter.
size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '\x1b' || text[1] != '[') return 0;
  const size_t end = text.find_first_not_of("0123456789;", 2);
  return end == text.npos ? text.size() : end + 1;
}

Piece first_piece(std::string_view text) {
  if (const size_t escape = escape_length(text)) return {escape, 0};
  const Character character = first_character(text);
  return {character.size, perrin::display_width(character.code)};
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    width += piece.width;
    text.remove_prefix(piece.bytes);
  }
  return width;
}

std::string clip(std::string_view text, int width) {
  if (display_width(text) <= width) return std::string(text);
  std::string kept;
  int used = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    if (used + piece.width > width - 1) break;
    kept += text.substr(0, piece.bytes);
    used += piece.width;
    text.remove_prefix(piece.bytes);
  }
  return width > 0 ? kept + "…" : kept;
}

}  // namespace perrin::console
