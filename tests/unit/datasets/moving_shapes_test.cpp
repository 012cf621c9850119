// moving-shapes against its own pixels. Seed 0.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/unit/datasets/shapes_seen.hpp"

namespace perrin::testing {
namespace {

services::Component clips(Values more = {}) { return builtin("dataset", "moving-shapes", std::move(more)); }

// Where the one object of a picture is, by the share of ink in its channel of most contrast; and how much ink.
struct Seen {
  double y = 0, x = 0, ink = 0;
};

Seen look_at(const Picture& picture, size_t channel, int ink, int paper) {
  Seen seen;
  for (size_t p = 0; p < picture.side * picture.side; ++p) {
    const size_t y = p / picture.side, x = p % picture.side;
    const double share = double(picture.at(y, x)[channel] - paper) / (ink - paper);
    seen.ink += share, seen.y += share * (double(y) + 0.5), seen.x += share * (double(x) + 0.5);
  }
  seen.y /= seen.ink, seen.x /= seen.ink;
  return seen;
}

// Of clip `i`, frame `t`: [3, frames, side, side], its planes frames * side * side values apart.
Picture frame(const Shown& shown, size_t i, size_t t, size_t frames, size_t side) {
  return {&shown.image[i * 3 * frames * side * side + t * side * side], side, frames * side * side};
}

TEST(MovingShapes, AClipIsOneMoreAxis) {
  const auto fields = fields_of(clips({{"frames", int64_t{5}}, {"size", int64_t{40}}}));
  ASSERT_EQ(fields[0].spec.rank, 4u);
  EXPECT_EQ(std::vector<int64_t>(fields[0].spec.sizes, fields[0].spec.sizes + 4), (std::vector<int64_t>{3, 5, 40, 40}));
  std::string text;
  for (const perrin_field& f : fields) text += name_of(f) + " " + std::to_string(f.n_classes) + ", ";
  EXPECT_EQ(text, "image 0, shape 6, colour 8, size 2, speed 2, count 3, background 3, caption 0, ");
}

// With one object, circles only: their middle is exact to a hundredth of a pixel. Between bounces each axis moves by
// the same distance every frame; where it turns round it moves by less, and is then within that distance of its
// extreme.
TEST(MovingShapes, MoveEvenlyAndBounce) {
  constexpr size_t n = 3000, frames = 24, side = 32;
  const Shown shown = read_shown(clips({{"max_count", int64_t{1}}, {"frames", int64_t{frames}}}), first_indices(n));
  int clips_seen = 0, bounces = 0;
  for (size_t i = 0; i < n; ++i) {
    if (shown.truth.at("shape")[i] != 0 || shown.truth.at("background")[i] != 2) continue;
    const Picture first = frame(shown, i, 0, frames, side);
    Rgb ink{};  // on black, a full pixel is the brightest
    for (size_t p = 0; p < side * side; ++p)
      ink = std::max(ink, first.at(p / side, p % side),
                     [](const Rgb& a, const Rgb& b) { return a[0] + a[1] + a[2] < b[0] + b[1] + b[2]; });
    const size_t channel = size_t(std::max_element(ink.begin(), ink.end()) - ink.begin());
    const double r = shown.truth.at("size")[i] == 1 ? 5.5 : 3.3, slack = 0.04;
    std::vector<std::array<double, 2>> at;
    for (size_t t = 0; t < frames; ++t) {
      const Seen seen = look_at(frame(shown, i, t, frames, side), channel, ink[channel], 0);
      ASSERT_NEAR(seen.ink / (M_PI * r * r), 1, 0.02) << "the object leaves the picture: " << i << ", " << t;
      at.push_back({seen.y, seen.x});
    }
    std::array<double, 2> speed{};
    for (size_t axis = 0; axis < 2; ++axis) {
      for (size_t t = 1; t < frames; ++t) speed[axis] = std::max(speed[axis], std::abs(at[t][axis] - at[t - 1][axis]));
      for (size_t t = 1; t < frames; ++t) {
        if (std::abs(std::abs(at[t][axis] - at[t - 1][axis]) - speed[axis]) <= 2 * slack) continue;
        const double p = at[t][axis], q = at[t - 1][axis], low = r, high = side - r;
        const double travelled = std::min(p - low + q - low, high - p + high - q);
        ASSERT_NEAR(travelled, speed[axis], 3 * slack) << i << ", " << t << ": it turns in the middle";
        ++bounces;
      }
    }
    const double length = std::hypot(speed[0], speed[1]);
    const bool quick = shown.truth.at("speed")[i] == 1;
    ASSERT_GT(length, (quick ? 2 : 0.5) - 2 * slack) << shown.caption[i];
    ASSERT_LT(length, (quick ? 3 : 1) + 2 * slack) << shown.caption[i];
    ASSERT_EQ(shown.caption[i].find(quick ? "slowly" : "quickly"), std::string::npos) << shown.caption[i];
    ++clips_seen;
  }
  std::printf("%d clips, %d bounces\n", clips_seen, bounces);
  EXPECT_GT(clips_seen, 100);
  EXPECT_GT(bounces, 100);
}

TEST(MovingShapes, SharpFramesHaveTwoColoursAndTheFirstShowsAllObjects) {
  constexpr size_t n = 1500, frames = 6, side = 32;
  const Shown shown = read_shown(clips({{"antialias", false}, {"frames", int64_t{frames}}}), first_indices(n));
  for (size_t i = 0; i < n; ++i) {
    const std::string& colour = kColours[size_t(shown.truth.at("colour")[i])];
    const int64_t count = shown.truth.at("count")[i] + 1;
    EXPECT_NE(shown.caption[i].find(colour), std::string::npos);
    EXPECT_EQ(shown.caption[i].find(count == 1 ? "a" : count == 2 ? "two " : "three "), 0u) << shown.caption[i];
    for (size_t t = 0; t < frames; ++t) {
      const Picture picture = frame(shown, i, t, frames, side);
      std::map<Rgb, std::vector<bool>> masks;
      for (size_t p = 0; p < side * side; ++p)
        masks.try_emplace(picture.at(p / side, p % side), std::vector<bool>(side * side)).first->second[p] = true;
      ASSERT_EQ(masks.size(), 2u) << i << ", " << t;
      const bool first = css_name(masks.begin()->first) == colour;
      const auto& [ink, mask] = first ? *masks.begin() : *masks.rbegin();
      ASSERT_EQ(css_name(ink), colour);
      const std::vector<Blob> blobs = blobs_of(mask, side);
      ASSERT_LE(int64_t(blobs.size()), count);
      ASSERT_TRUE(t > 0 || int64_t(blobs.size()) == count) << i << " " << shown.caption[i];
      const std::string& shape = kShapes[size_t(shown.truth.at("shape")[i])];
      ASSERT_TRUE(count > 1 || shape_seen(blobs[0]) == shape) << i << ", " << t << ": " << shown.caption[i];
    }
  }
}

TEST(MovingShapes, AClipIsAFunctionOfSeedSplitAndIndex) {
  const std::vector<uint64_t> indices = first_indices(40);
  const Shown whole = read_shown(clips(), indices), longer = read_shown(clips({{"frames", int64_t{11}}}), indices);
  for (uint64_t i : {39, 0, 12}) {
    const Shown one = read_shown(clips(), {i});
    EXPECT_TRUE(std::equal(one.image.begin(), one.image.end(), &whole.image[i * one.image.size()]));
    EXPECT_EQ(one.caption[0], whole.caption[i]);
    for (size_t t = 0; t < 8; ++t)
      EXPECT_EQ(frame(whole, i, t, 8, 32).at(9, 9), frame(longer, i, t, 11, 32).at(9, 9)) << "frames only add frames";
  }
  EXPECT_NE(read_shown(clips({{"split", std::string("test")}}), indices).image, whole.image);
  EXPECT_NE(message_of([&] {
              read_shown(clips({{"samples", int64_t{3}}}), {3});
            }).find("sample 3 of 3"),
            std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
