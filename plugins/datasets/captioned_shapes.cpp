#include "shape_dataset.hpp"

namespace perrin::datasets {
namespace {

// The caption's grammar, where THINGS is "a small red circle" or "three small red circles":
//   half of all captions     THINGS WHERE of a BACKGROUND background
//   a sixth each             THINGS on a BACKGROUND background | THINGS (no size) WHERE | THINGS (no size)
//   WHERE                    on the left | on the right | at the top | at the bottom | in the centre
std::string caption_of(const Look& look, uint64_t position, uint64_t form) {
  const std::string where = " " + std::string(position_phrases[position]);
  const std::string background = " a " + std::string(shape_backgrounds[look.background].name) + " background";
  if (form < 3) return noun_phrase(look, true) + where + " of" + background;
  if (form == 3) return noun_phrase(look, true) + " on" + background;
  return noun_phrase(look, false) + (form == 4 ? where : "");
}

struct CaptionedShapes : ShapeDataset<CaptionedShapes> {
  static constexpr std::string_view id = "captioned-shapes", version = "0.1.0";
  static constexpr std::string_view doc =
      "Images of one to three equal shapes, drawn from a seed, with a true caption such as \"two small red circles on "
      "the left of a white background\". Shapes: circle, square, triangle, cross, star, ring; colours: red, orange, "
      "yellow, green, cyan, blue, purple, pink; sizes: small, large; positions: left, right, top, bottom, centre; "
      "backgrounds: white, grey, black. All are equally probable and are labels in these orders; the label \"count\" "
      "is "
      "the number of objects less 1. Half of the captions say everything, the others leave out the position, size and "
      "background, or all three.";
  static constexpr Truth own = {"position", shape_positions.size()};

  explicit CaptionedShapes(const Config& config)
      : ShapeDataset(config, {3, config.integer("size"), config.integer("size")}) {}

  // image: [3, side, side]
  Description sample(Draws& draws, uint8_t* image) const {
    const Look look = draw_look(draws);
    const uint64_t position = draws.below(shape_positions.size()), form = draws.below(6);
    const Canvas canvas = {{image, image + side_ * side_, image + 2 * side_ * side_}, side_, antialias_};
    canvas.clear(look);
    for (Point point : place(look, position, side_, !antialias_, draws)) canvas.draw(look, point);
    return {look, position, caption_of(look, position, form)};
  }
};
PERRIN_DATASET(CaptionedShapes);

}  // namespace
}  // namespace perrin::datasets
