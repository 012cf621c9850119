#include "host/console/plot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "host/console/text_width.hpp"
#include "host/console/units.hpp"

namespace perrin::console {
namespace {

constexpr int kLabelWidth = 10;

// Means of the finite values in `n` equal intervals of x; NaN where there is none.
std::vector<double> binned(std::span<const double> x, std::span<const double> y, int n) {
  std::vector<double> sum(n, 0), hits(n, 0);
  const double low = x.front(), span = x.back() - x.front();
  for (size_t i = 0; i < y.size(); ++i) {
    if (!std::isfinite(y[i])) continue;
    const int bin = span > 0 ? std::min(n - 1, static_cast<int>((x[i] - low) / span * n)) : 0;
    sum[bin] += y[i];
    hits[bin] += 1;
  }
  for (int i = 0; i < n; ++i) sum[i] = hits[i] > 0 ? sum[i] / hits[i] : std::numeric_limits<double>::quiet_NaN();
  return sum;
}

struct Bounds {
  double low, high;

  // 0 to 1; the middle for what differs by rounding only.
  double share(double value) const {
    return high - low > 1e-9 * std::max(std::abs(low), std::abs(high)) ? (value - low) / (high - low) : 0.5;
  }
};

std::optional<Bounds> bounds(std::span<const double> y) {
  Bounds b{INFINITY, -INFINITY};
  for (const double value : y)
    if (std::isfinite(value)) b = {std::min(b.low, value), std::max(b.high, value)};
  if (b.low > b.high) return std::nullopt;
  return b;
}

// Dots [height * 4][width * 2]; (0, 0) is the top left.
class Canvas {
 public:
  Canvas(int width, int height) : width_(width), dots_(static_cast<size_t>(width) * height) {}

  void set(int x, int y) {
    // The eight dots of U+2800, numbered down the columns; the fourth row came later.
    static constexpr unsigned char kBit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    dots_[static_cast<size_t>(y / 4) * width_ + x / 2] |= kBit[y % 4][x % 2];
  }

  std::string line(int row, bool unicode) const {
    std::string text;
    for (int column = 0; column < width_; ++column) {
      const unsigned char dots = dots_[static_cast<size_t>(row) * width_ + column];
      if (!unicode || dots == 0)
        text += dots ? '*' : ' ';
      else
        text += {'\xe2', static_cast<char>(0xa0 | dots >> 6), static_cast<char>(0x80 | (dots & 0x3f))};
    }
    return text;
  }

 private:
  int width_;
  std::vector<unsigned char> dots_;
};

// Joins neighbouring points by a vertical stroke, so that a steep curve stays one curve.
void draw(Canvas& canvas, const std::vector<double>& y, const Bounds& range, int rows) {
  int before = -1;
  for (size_t x = 0; x < y.size(); ++x) {
    if (!std::isfinite(y[x])) continue;
    const double share = range.share(y[x]);
    const int at = std::clamp(static_cast<int>(std::lround((1 - share) * (rows - 1))), 0, rows - 1);
    const int from = before < 0 ? at : before < at ? before + 1 : before > at ? before - 1 : at;
    for (int row = std::min(from, at); row <= std::max(from, at); ++row) canvas.set(static_cast<int>(x), row);
    before = at;
  }
}

std::string right_aligned(const std::string& text, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - display_width(text))), ' ') + text;
}

std::string colored(const std::string& text, const Terminal& terminal) {
  return terminal.color ? "\x1b[36m" + text + "\x1b[0m" : text;
}

std::string x_axis(std::span<const double> x, int width, const PlotStyle& style, const Terminal& terminal) {
  std::string rule;
  for (int i = 0; i < width; ++i) rule += terminal.unicode ? "─" : "-";
  const std::string first = number(x.front()), last = number(x.back());
  const int room = width - display_width(first) - display_width(last) - 2;
  const std::string middle = clip(style.x_label, std::max(0, room));
  const int left = std::max(1, (width - display_width(middle)) / 2 - display_width(first));
  std::string labels = first + std::string(left, ' ') + middle;
  labels += right_aligned(last, width - display_width(labels));
  const std::string indent(kLabelWidth, ' ');
  return indent + (terminal.unicode ? "└" : "+") + rule + "\n" + indent + " " + labels + "\n";
}

}  // namespace

std::string plot(std::span<const double> x, std::span<const double> y, const PlotStyle& style,
                 const Terminal& terminal) {
  std::string text =
      style.title.empty() ? "" : clip(style.title + (style.log_y ? " (log)" : ""), terminal.width) + "\n";
  std::vector<double> values(y.begin(), y.end());
  if (style.log_y)
    for (double& value : values) value = value > 0 ? std::log10(value) : NAN;
  const int width = std::max(8, terminal.width - kLabelWidth - 1), rows = style.height * 4;
  const auto points = y.empty() ? std::vector<double>() : binned(x, values, width * 2);
  const auto range = bounds(points);
  if (!range) return text + "  no finite value\n";
  Canvas canvas(width, style.height);
  draw(canvas, points, *range, rows);
  for (int row = 0; row < style.height; ++row) {
    const double share = 1 - static_cast<double>(row) / std::max(1, style.height - 1);
    const double value = range->low + share * (range->high - range->low);
    const bool labelled = row == 0 || row == style.height - 1 || row == style.height / 2;
    const std::string label = labelled ? number(style.log_y ? std::pow(10, value) : value) + " " : " ";
    text += right_aligned(label, kLabelWidth) + (terminal.unicode ? "│" : "|") +
            colored(canvas.line(row, terminal.unicode), terminal) + "\n";
  }
  return text + x_axis(x, width, style, terminal);
}

std::string sparkline(std::span<const double> y, int width, const Terminal& terminal) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr const char* kAscii[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
  if (y.empty() || width <= 0) return std::string(std::max(0, width), ' ');
  std::vector<double> x(y.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  const auto points = binned(x, y, std::min(width, static_cast<int>(y.size())));
  const auto range = bounds(points);
  std::string text;
  for (const double value : points) {
    if (!std::isfinite(value)) {
      text += " ";
      continue;
    }
    const double share = range->share(value);
    const int block = std::min(7, static_cast<int>(share * 8));
    text += terminal.unicode ? kBlocks[block] : kAscii[block];
  }
  return text;
}

bool wants_log(std::span<const double> y) {
  const auto range = bounds(y);
  return range && range->low > 0 && range->high > 10 * range->low;
}

}  // namespace perrin::console
