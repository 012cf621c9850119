// Aligned columns of text.
#pragma once

#include <string>
#include <vector>

namespace perrin::console {

// The header decides the alignment: one that starts with '>' (not shown) is right-aligned, for numbers.
class Table {
 public:
  explicit Table(std::vector<std::string> header);  // all empty: no header line

  void add(std::vector<std::string> row);  // a short row is filled with empty cells; a long one is cut

  // Lines ending in '\n', each at most `width` columns: the widest columns are clipped until it fits.
  std::string text(int width) const;

 private:
  std::vector<int> column_widths(int width) const;

  std::vector<std::string> header_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace perrin::console
