#include "host/app/compare_picture.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "host/sample/generate.hpp"

namespace perrin::app {
namespace {

constexpr int kPoints = 128;                       // width of a cell of points
constexpr int kShown = 2;                          // images in a cell
constexpr int kScale = 2, kAdvance = 4, kGap = 4;  // of a glyph, in pixels, and between cells
constexpr uint8_t kInk = 0, kPaper = 255, kFailed = 190;

// Five rows of three pixels, an octal digit each, the left pixel 4.
const std::map<char, int> kGlyphs = {
    {'a', 025755}, {'b', 065656}, {'c', 034443}, {'d', 065556}, {'e', 074647}, {'f', 074644}, {'g', 034553},
    {'h', 055755}, {'i', 072227}, {'j', 011152}, {'k', 055655}, {'l', 044447}, {'m', 057755}, {'n', 065555},
    {'o', 025552}, {'p', 065644}, {'q', 025521}, {'r', 065655}, {'s', 034216}, {'t', 072222}, {'u', 055557},
    {'v', 055552}, {'w', 055775}, {'x', 055255}, {'y', 055222}, {'z', 071247}, {'0', 075557}, {'1', 026227},
    {'2', 071747}, {'3', 071717}, {'4', 055711}, {'5', 074717}, {'6', 074757}, {'7', 071111}, {'8', 075757},
    {'9', 075717}, {'+', 002720}, {'-', 000700}, {'.', 000002}};

int width_of(const std::string& text) { return static_cast<int>(text.size()) * kAdvance * kScale; }

// Grey or RGB, on paper.
class Canvas {
 public:
  Canvas(int height, int width, int channels)
      : image_{height, width, channels,
               std::vector<uint8_t>(static_cast<size_t>(height) * static_cast<size_t>(width * channels), kPaper)} {}

  uint8_t* at(int row, int column) {
    return image_.pixels.data() +
           (static_cast<size_t>(row) * static_cast<size_t>(image_.width) + static_cast<size_t>(column)) *
               static_cast<size_t>(image_.channels);
  }
  void square(int row, int column, int size, uint8_t value) {
    for (int y = std::max(0, row); y < std::min(image_.height, row + size); ++y)
      for (int x = std::max(0, column); x < std::min(image_.width, column + size); ++x)
        std::fill_n(at(y, x), image_.channels, value);
  }
  void text(int row, int column, const std::string& text) {
    for (const char c : text) {
      const auto glyph = kGlyphs.find(c);
      for (int bit = 0; glyph != kGlyphs.end() && bit < 15; ++bit)
        if (glyph->second >> (14 - bit) & 1) square(row + bit / 3 * kScale, column + bit % 3 * kScale, kScale, kInk);
      column += kAdvance * kScale;
    }
  }
  void paste(int row, int column, const store::Image& from) {
    for (int y = 0; y < from.height; ++y)
      std::copy_n(from.pixels.data() + static_cast<size_t>(y) * static_cast<size_t>(from.width * from.channels),
                  from.width * from.channels, at(row + y, column));
  }
  const store::Image& image() const { return image_; }

 private:
  store::Image image_;
};

// x to the right, y up, the axes alike around the origin.
store::Image scatter(const at::Tensor& points, double reach) {
  Canvas canvas(kPoints, kPoints, 1);
  const at::Tensor p = points.to(at::kDouble).contiguous();
  const auto pixel = [&](double v) { return static_cast<int>(std::lround((v / reach + 1) / 2 * (kPoints - 1))); };
  for (int64_t i = 0; i < p.size(0); ++i) {
    const double x = p.const_data_ptr<double>()[2 * i], y = p.const_data_ptr<double>()[2 * i + 1];
    if (std::abs(x) < 2 * reach && std::abs(y) < 2 * reach)
      canvas.square(kPoints - 1 - pixel(y) - 1, pixel(x) - 1, 3, kInk);
  }
  return canvas.image();
}

store::Image cell(const at::Tensor& samples, const at::Tensor& reference) {
  if (samples.dim() == 2) return scatter(samples, std::max(1e-9, reference.abs().max().item<double>()) * 1.2);
  return sample::picture(samples.narrow(0, 0, std::min<int64_t>(kShown, samples.size(0))), kShown);
}

}  // namespace

store::Image compare_picture(const std::vector<at::Tensor>& samples, const std::vector<std::string>& rows,
                             const std::vector<std::string>& columns, const at::Tensor& reference) {
  store::Image failed = cell(reference, reference);
  std::fill(failed.pixels.begin(), failed.pixels.end(), kFailed);
  int left = 0;
  for (const std::string& row : rows) left = std::max(left, width_of(row));
  const int top = 5 * kScale + kGap, high = failed.height + kGap, wide = failed.width + kGap;
  Canvas canvas(kGap + top + high * static_cast<int>(rows.size()),
                kGap + left + wide * static_cast<int>(columns.size()), failed.channels);
  for (size_t j = 0; j < columns.size(); ++j)
    canvas.text(kGap, kGap + left + wide * static_cast<int>(j) + (failed.width - width_of(columns[j])) / 2, columns[j]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int y = kGap + top + high * static_cast<int>(i);
    canvas.text(y + (failed.height - 5 * kScale) / 2, kGap, rows[i]);
    for (size_t j = 0; j < columns.size(); ++j) {
      const at::Tensor& one = samples[i * columns.size() + j];
      canvas.paste(y, kGap + left + wide * static_cast<int>(j), one.defined() ? cell(one, reference) : failed);
    }
  }
  return canvas.image();
}

}  // namespace perrin::app
