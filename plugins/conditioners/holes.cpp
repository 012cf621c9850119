#include "holes.hpp"

#include <perrin/host/rng.h>

#include <algorithm>
#include <cmath>
#include <perrin/cpp/plugin.hpp>

namespace holes {
namespace {

constexpr uint32_t kPurpose = PERRIN_PURPOSE_PLUGIN + 0x401E;  // "hole", of no other plugin here
constexpr size_t kMost = 4;                                    // rectangles or strokes
constexpr size_t kPoints = 4;                                  // of a stroke

// Uniform numbers in (0, 1] of one sample, one behind the other.
class Numbers {
 public:
  Numbers(uint64_t seed, uint64_t sample) : values_(64) {
    perrin::service<perrin_host_rng>(PERRIN_HOST_RNG)
        ->uniform_double({seed, kPurpose, 0}, sample, 0, values_.size(), values_.data());
  }
  double operator()(double low = 0, double high = 1) { return low + (high - low) * (1 - values_[next_++]); }
  size_t count() { return 1 + static_cast<size_t>((*this)(0, kMost)); }

 private:
  std::vector<double> values_;  // at most 2 + kMost (2 kPoints + 1) are used
  size_t next_ = 0;
};

struct Image {
  int64_t height, width;
  std::vector<float> hole;
};

void rectangle(Image& image, Numbers& u) {
  const auto side = [&](int64_t whole) {
    return std::max<int64_t>(1, std::llround(u(1.0 / 8, 1.0 / 2) * static_cast<double>(whole)));
  };
  const int64_t h = side(image.height), w = side(image.width);
  const auto top = static_cast<int64_t>(u(0, static_cast<double>(image.height - h + 1)));
  const auto left = static_cast<int64_t>(u(0, static_cast<double>(image.width - w + 1)));
  for (int64_t y = top; y < top + h; ++y) std::fill_n(image.hole.begin() + y * image.width + left, w, 1.0f);
}

struct Point {
  double y, x;
};

double distance(Point p, Point a, Point b) {
  const double dy = b.y - a.y, dx = b.x - a.x, length2 = dy * dy + dx * dx;
  const double along = length2 > 0 ? std::clamp(((p.y - a.y) * dy + (p.x - a.x) * dx) / length2, 0.0, 1.0) : 0;
  return std::hypot(p.y - a.y - along * dy, p.x - a.x - along * dx);
}

void stroke(Image& image, Numbers& u) {
  const auto shorter = static_cast<double>(std::min(image.height, image.width));
  const double radius = std::max(0.75, u(1.0 / 32, 1.0 / 8) * shorter / 2);  // 0.75 reaches a pixel's centre anywhere
  Point points[kPoints];
  for (Point& p : points) {
    p.y = u(0, static_cast<double>(image.height));
    p.x = u(0, static_cast<double>(image.width));
  }
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x)
      for (size_t i = 0; i + 1 < kPoints; ++i)
        if (distance({static_cast<double>(y) + 0.5, static_cast<double>(x) + 0.5}, points[i], points[i + 1]) <= radius)
          image.hole[static_cast<size_t>(y * image.width + x)] = 1;
}

}  // namespace

std::vector<float> draw(const std::string& kind, uint64_t seed, uint64_t sample, int64_t height, int64_t width) {
  Numbers u(seed, sample);
  const bool boxes = u() < 0.5 ? kind != "brush" : kind == "boxes";
  Image image{height, width, std::vector<float>(static_cast<size_t>(height * width))};
  for (size_t left = u.count(); left > 0; --left) boxes ? rectangle(image, u) : stroke(image, u);
  return image.hole;
}

}  // namespace holes
