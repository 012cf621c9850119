// What an image of shapes shows, found from its pixels alone and independently of the renderer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/datasets/shown.hpp"

namespace perrin::testing {

using Rgb = std::array<int, 3>;

// The words, in the order of the labels.
inline const std::vector<std::string> kShapes = {"circle", "square", "triangle", "cross", "star", "ring"};
inline const std::vector<std::string> kColours = {"red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"};
inline const std::vector<std::string> kSizes = {"small", "large"}, kBackgrounds = {"white", "grey", "black"};
inline const std::vector<std::string> kPositions = {"left", "right", "top", "bottom", "centre"};

// One picture: planes `stride` values apart.
struct Picture {
  const uint8_t* values;
  size_t side, stride;

  Rgb at(size_t y, size_t x) const {
    const uint8_t* v = values + y * side + x;
    return {v[0], v[stride], v[2 * stride]};
  }
};

// The colour keyword of CSS (css-color-4, section 6.1) that is nearest.
inline std::string css_name(const Rgb& rgb) {
  const std::map<std::string, Rgb> css = {
      {"red", {255, 0, 0}},    {"orange", {255, 165, 0}}, {"yellow", {255, 255, 0}},  {"green", {0, 128, 0}},
      {"cyan", {0, 255, 255}}, {"blue", {0, 0, 255}},     {"purple", {128, 0, 128}},  {"pink", {255, 192, 203}},
      {"black", {0, 0, 0}},    {"grey", {128, 128, 128}}, {"white", {255, 255, 255}}, {"brown", {165, 42, 42}}};
  const auto distance = [&](const Rgb& b) { return std::hypot(rgb[0] - b[0], rgb[1] - b[1], rgb[2] - b[2]); };
  return std::min_element(css.begin(), css.end(),
                          [&](const auto& a, const auto& b) { return distance(a.second) < distance(b.second); })
      ->first;
}

// A set of pixels that hang together, diagonals included.
struct Blob {
  std::vector<std::array<size_t, 2>> pixels;  // y, x
  size_t top = 1 << 20, left = 1 << 20, bottom = 0, right = 0;

  void add(size_t y, size_t x) {
    pixels.push_back({y, x});
    top = std::min(top, y), bottom = std::max(bottom, y), left = std::min(left, x), right = std::max(right, x);
  }
  size_t width() const { return right - left + 1; }
  size_t height() const { return bottom - top + 1; }
  std::array<double, 2> middle() const {  // y, x
    std::array<double, 2> sum{};
    for (const auto& p : pixels) sum[0] += double(p[0]) + 0.5, sum[1] += double(p[1]) + 0.5;
    return {sum[0] / double(pixels.size()), sum[1] / double(pixels.size())};
  }
  std::vector<std::string> rows() const {
    std::vector<std::string> rows(height(), std::string(width(), '.'));
    for (const auto& p : pixels) rows[p[0] - top][p[1] - left] = '#';
    return rows;
  }
};

// mask: [side, side]
inline std::vector<Blob> blobs_of(std::vector<bool> mask, size_t side) {
  std::vector<Blob> blobs;
  for (size_t seed = 0; seed < mask.size(); ++seed) {
    if (!mask[seed]) continue;
    Blob blob;
    std::vector<size_t> open = {seed};
    mask[seed] = false;
    while (!open.empty()) {
      const size_t at = open.back(), y = at / side, x = at % side;
      open.pop_back();
      blob.add(y, x);
      for (size_t v = y > 0 ? y - 1 : 0; v < std::min(y + 2, side); ++v)
        for (size_t u = x > 0 ? x - 1 : 0; u < std::min(x + 2, side); ++u)
          if (mask[v * side + u]) mask[v * side + u] = false, open.push_back(v * side + u);
    }
    blobs.push_back(blob);
  }
  return blobs;
}

// The name of what a sharp blob looks like, by what tells shapes apart: holes, corners, the widths of the rows.
inline std::string shape_seen(const Blob& blob) {
  const std::vector<std::string> rows = blob.rows();
  const size_t h = rows.size(), w = rows[0].size();
  std::vector<size_t> runs, inked;
  for (const std::string& row : rows) {
    size_t n = 0;
    for (size_t x = 0; x < w; ++x) n += row[x] == '#' && (x == 0 || row[x - 1] == '.');
    runs.push_back(n);
    inked.push_back(static_cast<size_t>(std::count(row.begin(), row.end(), '#')));
  }
  const bool convex_rows = *std::max_element(runs.begin(), runs.end()) == 1;
  const bool turned_over = std::equal(inked.begin(), inked.end(), inked.rbegin());
  const double share = double(blob.pixels.size()) / double(w * h);
  if (rows[h / 2][w / 2] == '.') return "ring";
  if (blob.pixels.size() == w * h) return w == h ? "square" : "rectangle";
  if (convex_rows && std::is_sorted(inked.begin(), inked.end()) && inked[0] <= 2 && inked[h - 1] == w)
    return "triangle";
  if (!convex_rows && !turned_over && runs[0] == 1 && runs[h - 1] == 2) return "star";
  const bool two_widths = std::all_of(inked.begin(), inked.end(), [&](size_t n) { return n == inked[0] || n == w; });
  if (two_widths && turned_over && inked[0] * 2 < w) return "cross";
  if (turned_over && convex_rows && w == h && share > 0.7 && share < 0.85) return "circle";
  return "something else";
}

}  // namespace perrin::testing
