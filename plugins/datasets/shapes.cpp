#include "shapes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace perrin::datasets {
namespace {

// Radius of a small and of a large circle, of an image's side.
constexpr std::array<double, 2> radii = {6.6 / 64, 11.0 / 64};
// Of that radius: half a square's side; a triangle's circumradius; length and half width of a cross's arm; a star's
// inner corners; a ring's hole.
constexpr double square_half = 0.8, triangle_radius = 0.9, arm_length = 0.95, arm_half = 0.31, star_inner = 0.47,
                 ring_hole = 0.52;
// Horizontal lines by which a row of pixels is measured. Along them the covered length is exact.
constexpr int lines = 16;

using Polygon = std::vector<Point>;

Polygon five_pointed() {
  Polygon polygon;
  for (int i = 0; i < 10; ++i) {
    const double angle = pi * i / 5 - pi / 2, r = i % 2 ? star_inner : 1;
    polygon.push_back({r * std::cos(angle), r * std::sin(angle)});
  }
  return polygon;
}

// Corners around the centre, for radius 1. Circle and ring have none.
const Polygon& polygon_of(uint64_t shape) {
  constexpr double h = square_half, t = triangle_radius, a = arm_length, w = arm_half;
  static const std::array<Polygon, 6> polygons = {
      Polygon{},
      {{-h, -h}, {h, -h}, {h, h}, {-h, h}},
      {{0, -t}, {t * std::sqrt(0.75), t / 2}, {-t * std::sqrt(0.75), t / 2}},
      {{-w, -a}, {w, -a}, {w, -w}, {a, -w}, {a, w}, {w, w}, {w, a}, {-w, a}, {-w, w}, {-a, w}, {-a, -w}, {-w, -w}},
      five_pointed(),
      Polygon{}};
  return polygons[shape];
}

double radius_of(const Look& look, int64_t side) { return radii[look.size] * static_cast<double>(side); }

// Where a horizontal line enters and leaves a shape, in ascending pairs.
struct Crossings {
  std::array<double, 12> x;
  size_t n = 0;
};

Crossings cross_polygon(const Polygon& polygon, Point centre, double r, double y) {
  Crossings found;
  const double v = (y - centre.y) / r;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Point &a = polygon[i], &b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
    if ((a.y <= v) != (b.y <= v)) found.x[found.n++] = centre.x + r * (a.x + (v - a.y) / (b.y - a.y) * (b.x - a.x));
  }
  std::sort(found.x.begin(), found.x.begin() + static_cast<std::ptrdiff_t>(found.n));
  return found;
}

Crossings cross_round(double hole, Point centre, double r, double y) {
  const double dy = std::abs(y - centre.y);
  if (dy >= r) return {};
  const double half = std::sqrt(r * r - dy * dy);
  if (dy >= hole) return {{centre.x - half, centre.x + half}, 2};
  const double inner = std::sqrt(hole * hole - dy * dy);
  return {{centre.x - half, centre.x - inner, centre.x + inner, centre.x + half}, 4};
}

Crossings crossings(uint64_t shape, Point centre, double r, double y) {
  const Polygon& polygon = polygon_of(shape);
  return polygon.empty() ? cross_round(shape == ring ? ring_hole * r : 0, centre, r, y)
                         : cross_polygon(polygon, centre, r, y);
}

// Adds to each pixel of a row what of it lies in [from, to], times weight.
void cover(double from, double to, double weight, double* row) {
  const auto first = static_cast<int64_t>(from), last = static_cast<int64_t>(to);
  row[first] -= weight * (from - static_cast<double>(first));
  for (int64_t i = first; i < last; ++i) row[i] += weight;
  row[last] += weight * (to - static_cast<double>(last));
}

void draw_sharp(const Canvas& canvas, const Look& look, Point centre, double r, int64_t y) {
  const Crossings at = crossings(look.shape, centre, r, static_cast<double>(y) + 0.5);
  for (size_t i = 0; i < at.n; i += 2) {  // middles strictly inside, so that a symmetric shape stays symmetric
    const auto from = static_cast<int64_t>(std::floor(at.x[i] - 0.5)) + 1,
               to = static_cast<int64_t>(std::ceil(at.x[i + 1] - 0.5));
    for (size_t c = 0; c < 3 && from < to; ++c)
      std::memset(canvas.planes[c] + y * canvas.side + from, shape_colours[look.colour].rgb[c],
                  static_cast<size_t>(to - from));
  }
}

// covered: [side + 1], room for one row.
void draw_smooth(const Canvas& canvas, const Look& look, Point centre, double r, int64_t y,
                 std::vector<double>& covered) {
  std::fill(covered.begin(), covered.end(), 0.0);
  for (int s = 0; s < lines; ++s) {
    const Crossings at = crossings(look.shape, centre, r, static_cast<double>(y) + (s + 0.5) / lines);
    for (size_t i = 0; i < at.n; i += 2) cover(at.x[i], at.x[i + 1], 1.0 / lines, covered.data());
  }
  const auto left = static_cast<int64_t>(centre.x - r), right = static_cast<int64_t>(std::ceil(centre.x + r));
  for (int64_t x = std::max<int64_t>(0, left); x < std::min(right, canvas.side); ++x) {
    const double share = covered[static_cast<size_t>(x)];
    for (size_t c = 0; c < 3 && share > 0; ++c) {
      uint8_t& value = canvas.planes[c][y * canvas.side + x];
      value = static_cast<uint8_t>(std::lround(value + share * (shape_colours[look.colour].rgb[c] - value)));
    }
  }
}

}  // namespace

std::string noun_phrase(const Look& look, bool with_size) {
  const std::string colour(shape_colours[look.colour].name), shape(shape_names[look.shape]);
  const std::string described =
      (with_size ? std::string(shape_sizes[look.size]) + " " : std::string()) + colour + " " + shape;
  if (look.count == 1) return (described[0] == 'o' ? "an " : "a ") + described;  // orange is the one vowel
  return (look.count == 2 ? "two " : "three ") + described + (look.shape == cross ? "es" : "s");
}

Reach reach_of(const Look& look, int64_t side) {
  const double r = radius_of(look, side);
  return look.shape == square ? Reach{square_half * r, std::sqrt(2.0) * square_half * r} : Reach{r, r};
}

void Canvas::clear(const Look& look) const {
  for (size_t c = 0; c < 3; ++c)
    std::memset(planes[c], shape_backgrounds[look.background].rgb[c], static_cast<size_t>(side * side));
}

void Canvas::draw(const Look& look, Point centre) const {
  const double r = radius_of(look, side), box = reach_of(look, side).box;
  const auto top = static_cast<int64_t>(centre.y - box), bottom = static_cast<int64_t>(std::ceil(centre.y + box));
  std::vector<double> covered(antialias ? static_cast<size_t>(side) + 1 : 0);
  for (int64_t y = top; y < std::min(bottom, side); ++y)
    antialias ? draw_smooth(*this, look, centre, r, y, covered) : draw_sharp(*this, look, centre, r, y);
}

}  // namespace perrin::datasets
