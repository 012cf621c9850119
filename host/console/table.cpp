#include "host/console/table.hpp"

#include <algorithm>
#include <numeric>

#include "host/console/text_width.hpp"

namespace perrin::console {
namespace {

constexpr int kGap = 2, kNarrowest = 4;

std::string line_of(const std::vector<std::string>& cells, const std::vector<int>& widths,
                    const std::vector<bool>& right) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = clip(cells[i], widths[i]);
    const std::string space(static_cast<size_t>(widths[i] - display_width(cell)), ' ');
    line += right[i] ? space + cell : cell + space;
    line += std::string(kGap, ' ');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

}  // namespace

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {
  for (std::string& title : header_) {
    right_.push_back(!title.empty() && title[0] == '>');
    if (right_.back()) title.erase(0, 1);
  }
}

void Table::add(std::vector<std::string> row) {
  row.resize(header_.size());
  rows_.push_back(std::move(row));
}

std::vector<int> Table::column_widths(int width) const {
  std::vector<int> widths;
  for (size_t i = 0; i < header_.size(); ++i) {
    int widest = display_width(header_[i]);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[i]));
    widths.push_back(widest);
  }
  int excess = std::accumulate(widths.begin(), widths.end(), kGap * (static_cast<int>(widths.size()) - 1)) - width;
  for (; excess > 0; --excess) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (widest == widths.end() || *widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

std::string Table::text(int width) const {
  const std::vector<int> widths = column_widths(width);
  const bool titled =
      std::any_of(header_.begin(), header_.end(), [](const std::string& title) { return !title.empty(); });
  std::string text = titled ? line_of(header_, widths, right_) : "";
  for (const auto& row : rows_) text += line_of(row, widths, right_);
  return text;
}

}  // namespace perrin::console
