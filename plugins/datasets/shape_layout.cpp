#include "shape_layout.hpp"

#include <algorithm>
#include <cmath>

#include "perrin/cpp/plugin.hpp"

namespace perrin::datasets {
namespace {

// What all placements need, in pixels.
struct Room {
  double side, gap, least;  // least: coordinate of a centre
  Reach reach;
  bool sharp;

  double middle() const { return side / 2; }
  // A distance or a coordinate between two bounds: a whole number, or a pixel's middle, if sharp.
  double distance(double low, double high, Draws& draws) const {
    if (!sharp) return draws.between(low, high);
    const double first = std::ceil(low), last = std::floor(high);
    return last > first ? first + static_cast<double>(draws.below(static_cast<uint64_t>(last - first) + 1)) : first;
  }
  double coordinate(double low, double high, Draws& draws) const {
    return sharp ? distance(low - 0.5, high - 0.5, draws) + 0.5 : draws.between(low, high);
  }
  // How far apart, along one axis, two objects have to be that are `across` apart along the other: their squares or
  // their circles stay clear of each other. across < 2 box
  double apart(double across) const {
    const double squares = 2 * reach.box + gap, circles = 2 * reach.circle + gap;
    return std::min(squares, std::sqrt(std::max(0.0, circles * circles - across * across)));
  }
  // The longest distance between neighbours in a line of n.
  double longest(uint64_t n) const {
    const double step = (side - 2 * least) / static_cast<double>(n - 1);
    return sharp ? std::floor(step) : step;
  }
};

// Along an edge: u counts from the edge inwards, v along it. The second object may lie further in, which makes room.
std::vector<Point> along_edge(uint64_t n, const Room& room, Draws& draws) {
  const double half = room.middle(), first = room.least, share = n == 1 ? 0 : 1.0 / static_cast<double>(n);
  const double inmost = half - room.side / 40, mean_inmost = half - room.side * 3 / 16;
  double du = 0, dv = 0;
  if (n > 1) {
    const double longest = room.longest(n), circles = 2 * room.reach.circle + room.gap;
    const double least = room.apart(0) <= longest ? 0 : std::sqrt(circles * circles - longest * longest);
    du = room.distance(least, std::min(inmost - first, (mean_inmost - first) / share), draws);
    const double closest = std::max(room.apart(du), n == 3 ? room.apart(0) / 2 : 0);
    dv = room.distance(closest, std::min(longest, closest + room.side / 8), draws);
  }
  const double u = room.coordinate(first, std::min(inmost - du, mean_inmost - share * du), draws);
  const double length = static_cast<double>(n - 1) * dv, aside = (half - u - share * du) / 2, start = half - length / 2;
  const double v =
      room.coordinate(std::max(first, start - aside), std::min(room.side - first - length, start + aside), draws);
  const bool second_first = n == 2 && draws.below(2) == 1;
  std::vector<Point> points;
  for (uint64_t i = 0; i < n; ++i)
    points.push_back({u + ((i % 2 == 1) != second_first ? du : 0), v + static_cast<double>(i) * dv});
  return points;
}

// In the middle: the corners of a regular polygon, turned at random.
std::vector<Point> around_middle(uint64_t n, const Room& room, Draws& draws) {
  const double half = room.middle(), box = room.reach.box, rounding = room.sharp ? 0.5 : 0;
  double radius = 0;
  if (n > 1) {
    // Two squares that are far enough apart for any direction; rounding to pixels takes up to its diagonal.
    const double clear = std::min(std::sqrt(2.0) * (2 * box + room.gap), 2 * room.reach.circle + room.gap);
    const double least = (clear + 2 * std::sqrt(2.0) * rounding) / (2 * std::sin(pi / static_cast<double>(n)));
    radius = draws.between(least, std::min(least + room.side / 16, half - box - room.side / 32));
  }
  const double shift = std::min(room.side / 16, half - box - radius) - rounding;
  const Point middle = {half + draws.between(-shift, shift), half + draws.between(-shift, shift)};
  const double turn = draws.between(0, 2 * pi);
  std::vector<Point> points;
  for (uint64_t i = 0; i < n; ++i) {
    const double angle = turn + 2 * pi * static_cast<double>(i) / static_cast<double>(n);
    const Point p = {middle.x + radius * std::cos(angle), middle.y + radius * std::sin(angle)};
    points.push_back(room.sharp ? pixel_middle(p) : p);
  }
  return points;
}

}  // namespace

Draws::Draws(perrin_stream stream, uint64_t sample) {
  service<perrin_host_rng>(PERRIN_HOST_RNG)->uniform_double(stream, sample, 0, u_.size(), u_.data());
}

uint64_t Draws::below(uint64_t n) {
  return std::min(n - 1, static_cast<uint64_t>(u_[next_++] * static_cast<double>(n)));
}

double least_centre(const Look& look, int64_t side, bool sharp) {
  const double box = reach_of(look, side).box;
  return sharp ? std::ceil(box - 0.5) + 0.5 : box;
}

std::vector<Point> place(const Look& look, uint64_t position, int64_t side, bool sharp, Draws& draws) {
  const auto size = static_cast<double>(side);
  const Room room = {size, 1.5 / 32 * size, least_centre(look, side, sharp), reach_of(look, side), sharp};
  if (position == centre) return around_middle(look.count, room, draws);
  std::vector<Point> points = along_edge(look.count, room, draws);
  for (Point& p : points) {
    if (position == right || position == bottom) p.x = size - p.x;
    if (position == top || position == bottom) std::swap(p.x, p.y);
  }
  return points;
}

}  // namespace perrin::datasets
