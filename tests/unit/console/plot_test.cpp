#include "host/console/plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "host/console/text_width.hpp"

namespace perrin::console {
namespace {

const Terminal kAscii{false, false, false, 30}, kUnicode{false, false, true, 30};

std::vector<double> counting(int n) {
  std::vector<double> x(n);
  for (int i = 0; i < n; ++i) x[i] = i;
  return x;
}

// A rising line, every cell by hand: 19 columns of drawing area, 38 dot columns, 12 dot rows.
TEST(Plot, ARisingLineGoesFromBottomLeftToTopRight) {
  const auto x = counting(38);
  EXPECT_EQ(plot(x, x, {.title = "loss", .x_label = "step", .height = 3}, kAscii),
            "loss\n"
            "       37 |             ******\n"
            "     18.5 |      *******      \n"
            "        0 |******             \n"
            "          +-------------------\n"
            "           0      step      37\n");
}

TEST(Plot, EveryLineFitsAndBrailleHasTheRightDots) {
  const auto x = counting(500);
  for (const int width : {30, 61, 120}) {
    std::istringstream lines(plot(x, x, {.title = "t", .height = 5}, {false, false, true, width}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), width) << line;
  }
  // A constant is one row of dots in the middle: row 2 of 4 in the only line, both columns: dots 3 and 6, U+2824.
  const std::vector<double> constant(38, 1.0);
  const std::string text = plot(counting(38), constant, {.height = 1}, kUnicode);
  EXPECT_NE(text.find("⠤⠤⠤"), std::string::npos) << text;
}

TEST(Plot, LogarithmicAxisLabelsAreValuesAndNonPositiveValuesAreLeftOut) {
  const std::vector<double> x = {0, 1, 2, 3}, y = {1000, 0, -5, 0.001};
  const std::string text = plot(x, y, {.title = "loss", .height = 3, .log_y = true}, kAscii);
  EXPECT_NE(text.find("loss (log)"), std::string::npos);
  EXPECT_NE(text.find("1000 |"), std::string::npos) << text;
  EXPECT_NE(text.find("0.001 |"), std::string::npos) << text;
}

TEST(Plot, NothingToDrawSaysSo) {
  const std::vector<double> nan = {NAN, INFINITY};
  EXPECT_EQ(plot({}, {}, {.title = "a"}, kAscii), "a\n  no finite value\n");
  EXPECT_EQ(plot(counting(2), nan, {}, kAscii), "  no finite value\n");
  EXPECT_NE(plot(counting(1), std::vector<double>{3}, {.height = 2}, kAscii).find('*'), std::string::npos);
}

TEST(Sparkline, RisesFallsAndLeavesGaps) {
  const std::vector<double> y = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(sparkline(y, 8, kUnicode), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(y, 4, kUnicode), "▁▃▆█");
  EXPECT_EQ(sparkline(std::vector<double>{1, NAN, 3}, 3, kAscii), "_ #");
  EXPECT_EQ(sparkline({}, 3, kAscii), "   ");
}

TEST(LogAxis, IsWantedForPositiveValuesOverAWideRange) {
  EXPECT_TRUE(wants_log(std::vector<double>{1, 0.01, NAN}));
  EXPECT_FALSE(wants_log(std::vector<double>{1, 0.5}));
  EXPECT_FALSE(wants_log(std::vector<double>{100, -1}));
  EXPECT_FALSE(wants_log({}));
}

}  // namespace
}  // namespace perrin::console
