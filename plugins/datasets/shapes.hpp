// Coloured shapes on a plain background: their words, their geometry and their pixels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace perrin::datasets {

inline constexpr double pi = 3.14159265358979323846;

struct Paint {
  std::string_view name;
  std::array<uint8_t, 3> rgb;
};
// Chosen far from each other and from every background, so that none is mistaken.
inline constexpr std::array<Paint, 8> shape_colours = {{{"red", {225, 25, 35}},
                                                        {"orange", {255, 135, 0}},
                                                        {"yellow", {255, 225, 0}},
                                                        {"green", {20, 150, 50}},
                                                        {"cyan", {0, 205, 230}},
                                                        {"blue", {25, 75, 235}},
                                                        {"purple", {135, 35, 185}},
                                                        {"pink", {255, 120, 195}}}};
inline constexpr std::array<Paint, 3> shape_backgrounds = {
    {{"white", {255, 255, 255}}, {"grey", {150, 150, 150}}, {"black", {0, 0, 0}}}};
enum ShapeKind : uint64_t { circle, square, triangle, cross, star, ring };
inline constexpr std::array<std::string_view, 6> shape_names = {"circle", "square", "triangle",
                                                                "cross",  "star",   "ring"};
inline constexpr std::array<std::string_view, 2> shape_sizes = {"small", "large"};

// What all objects of an image have in common: indices into the lists above, and how many there are.
struct Look {
  uint64_t shape = 0, colour = 0, size = 0, count = 1, background = 0;
};

// "two small red circles", "an orange ring": number or article, adjectives, the shape in its number.
std::string noun_phrase(const Look& look, bool with_size);

// In pixels, y downwards: pixel (i, j) is the square [i, i + 1] x [j, j + 1].
struct Point {
  double x = 0, y = 0;
};

// Nothing of a shape lies outside the square of half side `box`, nor outside the circle of radius `circle`, around its
// centre.
struct Reach {
  double box, circle;
};
Reach reach_of(const Look& look, int64_t side);

// One picture of side x side pixels as three planes, which belong to the caller.
struct Canvas {
  std::array<uint8_t*, 3> planes;
  int64_t side;
  bool antialias;

  void clear(const Look& look) const;
  // One object, which has to lie inside the picture: every pixel whose middle is inside the shape, or, antialiased,
  // every pixel mixed with the colour by the share of it that the shape covers.
  void draw(const Look& look, Point centre) const;
};

}  // namespace perrin::datasets
