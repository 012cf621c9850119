#include <cmath>

#include "shape_dataset.hpp"

namespace perrin::datasets {
namespace {

constexpr std::array<std::string_view, 2> speeds = {"slowly", "quickly"};
constexpr std::array<std::array<double, 2>, 2> pixels_per_frame = {{{0.5, 1}, {2, 3}}};  // of an image of 32 pixels

// The caption's grammar, where THINGS is "a small red circle" or "three small red circles" and HOW slowly or quickly:
//   half of all captions     THINGS moving HOW on a BACKGROUND background
//   a sixth each             THINGS moving on a BACKGROUND background | THINGS (no size) moving HOW | THINGS (no size)
//   moving
std::string caption_of(const Look& look, uint64_t speed, uint64_t form) {
  const std::string how = form == 3 || form == 5 ? "" : " " + std::string(speeds[speed]);
  const std::string where =
      form > 3 ? "" : " on a " + std::string(shape_backgrounds[look.background].name) + " background";
  return noun_phrase(look, form <= 3) + " moving" + how + where;
}

// Where a point on a line at p is if it bounces between low and high.
double bounced(double p, double low, double high) {
  const double span = high - low, q = std::fmod(std::abs(p - low), 2 * span);
  return low + (q > span ? 2 * span - q : q);
}

struct MovingShapes : ShapeDataset<MovingShapes> {
  static constexpr std::string_view id = "moving-shapes", version = "0.1.0";
  static constexpr std::string_view doc =
      "Clips of one to three equal shapes that move with constant velocities, bounce off the borders and pass over "
      "each "
      "other, drawn from a seed, with a true caption such as \"two small red circles moving slowly on a white "
      "background\". The field image is [3, frames, size, size]; no objects overlap in the first frame. Shapes, "
      "colours, "
      "sizes, backgrounds and labels are those of captioned-shapes; speeds, in directions at random: slowly (1/64 to "
      "1/32 of the size a frame), quickly (1/16 to 3/32). Half of the captions say everything, the others leave out "
      "the "
      "speed, size and background, or all three.";
  static constexpr Truth own = {"speed", speeds.size()};

  static std::vector<Key> keys() {
    std::vector<Key> keys = ShapeDataset::keys();
    keys.push_back(Key::integer("frames", "8", "length of a clip").min(1).max(1024).unit("frames"));
    return keys;
  }
  explicit MovingShapes(const Config& config)
      : ShapeDataset(config, {3, config.integer("frames"), config.integer("size"), config.integer("size")}),
        frames_(config.integer("frames")) {}

  // image: [3, frames, side, side]
  Description sample(Draws& draws, uint8_t* image) const {
    const Look look = draw_look(draws);
    const uint64_t speed = draws.below(speeds.size()), form = draws.below(6);
    const std::vector<Point> start = place(look, draws.below(shape_positions.size()), side_, !antialias_, draws);
    std::vector<Point> velocity;
    for (size_t i = 0; i < start.size(); ++i) {
      const double turn = draws.between(0, 2 * pi);
      const double length =
          draws.between(pixels_per_frame[speed][0], pixels_per_frame[speed][1]) * static_cast<double>(side_) / 32;
      velocity.push_back({length * std::cos(turn), length * std::sin(turn)});
    }
    for (int64_t t = 0; t < frames_; ++t) draw_frame(look, start, velocity, t, image);
    return {look, speed, caption_of(look, speed, form)};
  }

 private:
  void draw_frame(const Look& look, const std::vector<Point>& start, const std::vector<Point>& velocity, int64_t t,
                  uint8_t* image) const {
    const int64_t plane = side_ * side_;
    const Canvas canvas = {
        {image + t * plane, image + (frames_ + t) * plane, image + (2 * frames_ + t) * plane}, side_, antialias_};
    canvas.clear(look);
    const double low = least_centre(look, side_, !antialias_), high = static_cast<double>(side_) - low;
    for (size_t i = 0; i < start.size(); ++i) {
      const auto time = static_cast<double>(t);
      Point p = {bounced(start[i].x + time * velocity[i].x, low, high),
                 bounced(start[i].y + time * velocity[i].y, low, high)};
      if (!antialias_) p = pixel_middle(p);
      canvas.draw(look, p);
    }
  }

  int64_t frames_;
};
PERRIN_DATASET(MovingShapes);

}  // namespace
}  // namespace perrin::datasets
