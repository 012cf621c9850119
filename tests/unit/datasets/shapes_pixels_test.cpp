// captioned-shapes against its own pixels: what the labels and captions say is found again by shapes_seen.hpp. Seed 0.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "tests/unit/datasets/shapes_seen.hpp"

namespace perrin::testing {
namespace {

services::Component shapes(Values more = {}) { return builtin("dataset", "captioned-shapes", std::move(more)); }
Values sharp(int64_t size) { return {{"antialias", false}, {"size", size}}; }

// Radii and proportions that the renderer states.
double radius(int64_t size, double side) { return (size == 1 ? 11.0 : 6.6) / 64 * side; }
double area(int64_t shape, double r) {
  switch (shape) {
    case 0:
      return M_PI * r * r;
    case 1:
      return std::pow(2 * 0.8 * r, 2);
    case 2:
      return 0.75 * std::sqrt(3.0) * std::pow(0.9 * r, 2);
    case 3:
      return (2 * 1.9 * 0.62 - 0.62 * 0.62) * r * r;
    case 4:
      return 5 * 0.47 * std::sin(M_PI / 5) * r * r;  // ten triangles of two sides 1 and 0.47 at 36 degrees
    default:
      return M_PI * (1 - 0.52 * 0.52) * r * r;
  }
}

// The position that the blobs' places amount to, by the rule of shape_layout.hpp with half a pixel for what a shape's
// pixels lie off its middle; -1: none.
int64_t position_seen(const std::vector<Blob>& blobs, double side) {
  double y = 0, x = 0;
  for (const Blob& blob : blobs)
    y += blob.middle()[0] / double(blobs.size()), x += blob.middle()[1] / double(blobs.size());
  y -= side / 2, x -= side / 2;
  if (std::max(std::abs(x), std::abs(y)) <= side / 16 + 0.5) return 4;
  const double far = std::max(std::abs(x), std::abs(y)), aside = std::min(std::abs(x), std::abs(y));
  if (far < side * 3 / 16 - 0.5 || aside > far / 2 + 0.75) return -1;
  const bool across = std::abs(x) > std::abs(y), low = (across ? x : y) < 0;
  for (const Blob& blob : blobs) {
    const double m = blob.middle()[across ? 1 : 0] - side / 2;
    if ((m < 0) != low || std::abs(m) < side / 40 - 0.5) return -1;
  }
  return (across ? 0 : 2) + (low ? 0 : 1);
}

TEST(ShapesPixels, SharpImagesShowExactlyWhatIsSaid) {
  constexpr size_t n = 20000, side = 32;
  const Shown shown = read_shown(shapes(sharp(side)), first_indices(n));
  std::map<std::string, std::set<std::string>> drawings;  // shape and size -> the different sets of rows
  for (size_t i = 0; i < n; ++i) {
    const Picture picture{&shown.image[i * 3 * side * side], side, side * side};
    const auto truth = [&](const char* name) { return shown.truth.at(name)[i]; };
    const std::string& caption = shown.caption[i];
    std::set<Rgb> colours;
    for (size_t p = 0; p < side * side; ++p) colours.insert(picture.at(p / side, p % side));
    ASSERT_EQ(colours.size(), 2u) << caption;
    const bool ink_first = css_name(*colours.begin()) == kColours[size_t(truth("colour"))];
    const Rgb ink = ink_first ? *colours.begin() : *colours.rbegin(),
              paper = ink_first ? *colours.rbegin() : *colours.begin();
    ASSERT_EQ(css_name(ink), kColours[size_t(truth("colour"))]) << i << " " << caption;
    ASSERT_EQ(css_name(paper), kBackgrounds[size_t(truth("background"))]) << i << " " << caption;
    std::vector<bool> mask;
    for (size_t p = 0; p < side * side; ++p) mask.push_back(picture.at(p / side, p % side) == ink);
    const std::vector<Blob> blobs = blobs_of(mask, side);
    ASSERT_EQ(int64_t(blobs.size()), truth("count") + 1) << i << " " << caption;
    ASSERT_EQ(position_seen(blobs, side), truth("position")) << i << " " << caption;
    for (const Blob& blob : blobs) {
      ASSERT_EQ(shape_seen(blob), kShapes[size_t(truth("shape"))]) << i << " " << caption;
      std::string rows;
      for (const std::string& row : blob.rows()) rows += row + "\n";
      drawings[kSizes[size_t(truth("size"))] + " " + kShapes[size_t(truth("shape"))]].insert(rows);
    }
  }
  ASSERT_EQ(drawings.size(), 12u);
  for (const auto& [name, rows] : drawings) EXPECT_EQ(rows.size(), 1u) << name << " is drawn in several ways";
  const auto ink = [&](const std::string& name) {
    const std::string& rows = *drawings.at(name).begin();
    return double(std::count(rows.begin(), rows.end(), '#'));
  };
  for (const std::string& shape : kShapes) EXPECT_GT(ink("large " + shape), 1.7 * ink("small " + shape)) << shape;
}

// Half coverage separates objects; what covers a pixel is read off the channel in which the two colours differ most.
struct Coverage {
  std::vector<bool> mask;
  double total = 0, worst = 0;  // pixels covered; by how much another channel disagrees, in its values
};

Coverage coverage_of(const Picture& picture, const Rgb& ink, const Rgb& paper) {
  Coverage coverage;
  size_t best = 0;
  for (size_t c = 1; c < 3; ++c)
    if (std::abs(ink[c] - paper[c]) > std::abs(ink[best] - paper[best])) best = c;
  for (size_t p = 0; p < picture.side * picture.side; ++p) {
    const Rgb v = picture.at(p / picture.side, p % picture.side);
    const double share = double(v[best] - paper[best]) / (ink[best] - paper[best]);
    for (size_t c = 0; c < 3; ++c)
      coverage.worst = std::max(coverage.worst, std::abs(paper[c] + share * (ink[c] - paper[c]) - v[c]));
    coverage.total += share;
    coverage.mask.push_back(share >= 0.5);
  }
  return coverage;
}

// The colours as sharp images have them, by index.
std::pair<std::map<int64_t, Rgb>, std::map<int64_t, Rgb>> exact_colours() {
  const Shown shown = read_shown(shapes(sharp(32)), first_indices(500));
  std::pair<std::map<int64_t, Rgb>, std::map<int64_t, Rgb>> found;
  for (size_t i = 0; i < 500; ++i)
    for (size_t p = 0; p < 1024; ++p) {
      const Rgb rgb = Picture{&shown.image[i * 3072], 32, 1024}.at(p / 32, p % 32);
      const auto colour = shown.truth.at("colour")[i], background = shown.truth.at("background")[i];
      (css_name(rgb) == kColours[size_t(colour)] ? found.first[colour] : found.second[background]) = rgb;
    }
  return found;
}

// 16 lines per row, exact along each: the area of a straight edge is exact on average, and a horizontal edge, the
// worst, is off by at most 1/32 of a pixel a column. Values rounded to 1/255 add less. So 3 % of the smallest shapes,
// which have 11 pixels, and less of larger ones; a clipped or covered object would miss more.
TEST(ShapesPixels, AntialiasedCoverageIsTheAnalyticArea) {
  const auto [inks, papers] = exact_colours();
  double worst = 0, sum = 0;
  size_t n = 0;
  for (int64_t side : {32, 33, 45, 64}) {
    const Shown shown = read_shown(shapes({{"size", side}}), first_indices(4000));
    const auto pixels = size_t(side * side);
    for (size_t i = 0; i < 4000; ++i, ++n) {
      const auto truth = [&](const char* name) { return shown.truth.at(name)[i]; };
      const Coverage seen = coverage_of({&shown.image[i * 3 * pixels], size_t(side), pixels}, inks.at(truth("colour")),
                                        papers.at(truth("background")));
      const double r = radius(truth("size"), double(side)),
                   expected = double(truth("count") + 1) * area(truth("shape"), r);
      worst = std::max(worst, std::abs(seen.total / expected - 1));
      sum += seen.total / expected;
      ASSERT_NEAR(seen.total / expected, 1, 0.03) << side << ": " << i << " " << shown.caption[i];
      ASSERT_LE(seen.worst, 1.01) << shown.caption[i];
      const std::vector<Blob> blobs = blobs_of(seen.mask, size_t(side));
      ASSERT_EQ(int64_t(blobs.size()), truth("count") + 1) << side << ": " << i << " " << shown.caption[i];
      ASSERT_EQ(position_seen(blobs, double(side)), truth("position")) << side << ": " << i << " " << shown.caption[i];
    }
  }
  std::printf("coverage / area: mean %.5f, worst off by %.4f\n", sum / double(n), worst);
  EXPECT_NEAR(sum / double(n), 1, 5e-4);
}

// Placement has little room at small sizes, and rounding to pixels takes some of it.
TEST(ShapesPixels, EverySizeHasRoomForEveryCaption) {
  const std::map<int64_t, Rgb> inks = exact_colours().first;
  for (int64_t side = 32; side <= 70; ++side) {
    const Shown shown = read_shown(shapes(sharp(side)), first_indices(1500));
    const auto pixels = size_t(side * side);
    std::map<std::pair<int64_t, int64_t>, size_t> ink;  // shape and size -> pixels of one object, always the same
    for (size_t i = 0; i < 1500; ++i) {
      const auto truth = [&](const char* name) { return shown.truth.at(name)[i]; };
      const Picture picture{&shown.image[i * 3 * pixels], size_t(side), pixels};
      std::vector<bool> mask;
      for (size_t p = 0; p < pixels; ++p)
        mask.push_back(picture.at(p / picture.side, p % picture.side) == inks.at(truth("colour")));
      const std::vector<Blob> blobs = blobs_of(mask, size_t(side));
      ASSERT_EQ(int64_t(blobs.size()), truth("count") + 1) << side << ": " << i << " " << shown.caption[i];
      ASSERT_EQ(position_seen(blobs, double(side)), truth("position")) << side << ": " << i << " " << shown.caption[i];
      for (const Blob& blob : blobs)
        ASSERT_EQ(ink.try_emplace({truth("shape"), truth("size")}, blob.pixels.size()).first->second,
                  blob.pixels.size())
            << side << ": " << i << " " << shown.caption[i];
    }
  }
}

}  // namespace
}  // namespace perrin::testing
