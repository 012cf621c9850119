// Curves drawn with characters: Braille dots, eight to a cell, or '*' where there is no Unicode.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/console/terminal.hpp"

namespace perrin::console {

struct PlotStyle {
  std::string title, x_label;
  int height = 10;  // lines of the drawing area
  bool log_y = false;
};

// y over x (same length, x ascending) in lines ending in '\n', at most terminal.width columns; the mean of what falls
// into one dot column is drawn. Values that are not finite, or not positive with log_y, are left out; with none left a
// line says so.
std::string plot(std::span<const double> x, std::span<const double> y, const PlotStyle& style,
                 const Terminal& terminal);

// One line of `width` block characters from low to high; a gap where there is no finite value.
std::string sparkline(std::span<const double> y, int width, const Terminal& terminal);

// True if a logarithmic axis shows more: all finite values positive, over more than a factor of 10.
bool wants_log(std::span<const double> y);

}  // namespace perrin::console
