#include "host/console/progress_text.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "host/console/text_width.hpp"
#include "host/console/units.hpp"

namespace perrin::console {
namespace {

constexpr double kWindow = 10, kSpacing = 0.25;  // seconds
constexpr int kNarrowestBar = 8, kWidestBar = 40;

std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  return text;
}

// Slow work reads better as seconds per unit.
std::string rate_text(const ProgressState& state) {
  if (!(state.rate > 0)) return "";
  if (state.rate < 1) return three_digits(1 / state.rate) + " s/" + state.unit;
  return (state.rate < 1000 ? three_digits(state.rate) : count(state.rate)) + " " + state.unit + "/s";
}

std::string time_text(const ProgressState& state) {
  const bool finished = state.total > 0 && state.done >= state.total;
  if (finished || state.total <= 0) return "in " + duration(state.elapsed);
  return state.rate > 0 ? "eta " + duration(static_cast<double>(state.total - state.done) / state.rate) : "";
}

std::vector<std::string> facts(const ProgressState& state) {
  std::vector<std::string> parts;
  for (const std::string& part : {rate_text(state), time_text(state)})
    if (!part.empty()) parts.push_back(part);
  if (!std::isnan(state.loss)) parts.push_back("loss " + number(state.loss));
  return parts;
}

std::string amount(const ProgressState& state) {
  return std::to_string(state.done) + (state.total > 0 ? "/" + std::to_string(state.total) : " " + state.unit);
}

double share(const ProgressState& state) {
  return state.total > 0 ? std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0) : 0;
}

std::string bar(double share, int width, const Terminal& terminal) {
  const int halves = static_cast<int>(share * 2 * width), full = halves / 2;
  std::string done, left;
  for (int i = 0; i < full; ++i) done += terminal.unicode ? "━" : "#";
  if (halves % 2) done += terminal.unicode ? "╸" : "-";
  for (int i = full + halves % 2; i < width; ++i) left += terminal.unicode ? "─" : ".";
  return terminal.color ? "\x1b[36m" + done + "\x1b[2;39m" + left + "\x1b[0m" : done + left;
}

}  // namespace

std::string progress_line(const ProgressState& state, const Terminal& terminal) {
  char percent[8] = "";
  if (state.total > 0) std::snprintf(percent, sizeof percent, "%3d%% ", static_cast<int>(share(state) * 100));
  std::string rest = percent + amount(state);
  for (const std::string& part : facts(state)) rest += "  " + part;
  const int room = terminal.width - 1 - display_width(state.label) - display_width(rest) - 2;
  std::string line = state.label + " ";
  if (state.total > 0 && room >= kNarrowestBar) line += bar(share(state), std::min(room, kWidestBar), terminal) + " ";
  return clip(line + rest, terminal.width - 1);
}

std::string progress_plain(const ProgressState& state) {
  std::string line = state.label + ": " + amount(state);
  if (state.total > 0) line += " (" + std::to_string(static_cast<int>(share(state) * 100)) + " %)";
  for (const std::string& part : facts(state)) line += ", " + part;
  return line;
}

void Rate::add(double seconds, int64_t done) {
  if (moments_.size() >= 2 && seconds - moments_[moments_.size() - 2].first < kSpacing)
    moments_.back() = {seconds, done};
  else
    moments_.emplace_back(seconds, done);
  while (moments_.size() > 2 && seconds - moments_.front().first > kWindow) moments_.pop_front();
}

double Rate::per_second() const {
  if (moments_.size() < 2) return 0;
  const double seconds = moments_.back().first - moments_.front().first;
  const auto done = static_cast<double>(moments_.back().second - moments_.front().second);
  return seconds > 0 ? done / seconds : 0;
}

}  // namespace perrin::console
