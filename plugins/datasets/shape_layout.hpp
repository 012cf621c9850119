// Where the objects of an image lie, so that its caption is true.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "perrin/host/rng.h"
#include "shapes.hpp"

namespace perrin::datasets {

// Values of one sample, drawn in the order in which they are asked for.
class Draws {
 public:
  Draws(perrin_stream stream, uint64_t sample);
  // In (low, high]; low if there is no room.
  double between(double low, double high) { return high > low ? low + (high - low) * u_[next_++] : low; }
  // In 0 .. n - 1, each as probable.
  uint64_t below(uint64_t n);

 private:
  std::array<double, 24> u_;  // in (0, 1]
  size_t next_ = 0;
};

enum ShapePosition : uint64_t { left, right, top, bottom, centre };
inline constexpr std::array<std::string_view, 5> shape_positions = {"left", "right", "top", "bottom", "centre"};
inline constexpr std::array<std::string_view, 5> position_phrases = {"on the left", "on the right", "at the top",
                                                                     "at the bottom", "in the centre"};

// Centres of look.count objects (1 to 3) that lie inside the image with at least 1.5/32 of its side between them. With
// m the mean of their centres, relative to the image's middle and in parts of the side:
//   centre: |m| <= 1/16 on both axes
//   left:   m lies at least 3/16 to the left and at most half as far above or below, and every centre is at least 1/40
//           left of the middle; right, top and bottom likewise.
// sharp: all centres are middles of pixels, so that a shape looks the same wherever it lies. side >= 32
std::vector<Point> place(const Look& look, uint64_t position, int64_t side, bool sharp, Draws& draws);

// The least coordinate that the centre of such an object may have; the greatest is side less that.
double least_centre(const Look& look, int64_t side, bool sharp);

inline Point pixel_middle(Point p) { return {std::floor(p.x) + 0.5, std::floor(p.y) + 0.5}; }

}  // namespace perrin::datasets
