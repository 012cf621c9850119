#include "host/console/units.hpp"

#include <cmath>
#include <cstdio>
#include <span>

namespace perrin::console {
namespace {

std::string format(const char* pattern, auto... values) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string scaled(double n, double base, std::span<const char* const> units) {
  if (!std::isfinite(n)) return number(n);
  size_t unit = 0;
  double value = std::abs(n);
  while (unit + 1 < units.size() && value >= base * 0.9995) value /= base, ++unit;
  const int decimals = unit == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return format(*units[unit] ? "%s%.*f %s" : "%s%.*f", n < 0 ? "-" : "", decimals, value, units[unit]);
}

}  // namespace

std::string count(double n) {
  constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  return scaled(n, 1000, kUnits);
}

std::string bytes(double n) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  return scaled(n, 1024, kUnits);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "?";
  if (seconds < 9.95) return format("%.1f s", seconds);
  const auto s = std::llround(seconds), days = s / 86400, hours = s / 3600 % 24;
  const std::string minutes = format(s >= 3600 ? "%02lld:%02lld" : "%lld:%02lld", s / 60 % 60, s % 60);
  if (days > 0) return format("%lld d %lld:", days, hours) + minutes;
  return hours > 0 ? format("%lld:", hours) + minutes : minutes;
}

std::string number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::abs(value) >= 1e4 && std::abs(value) < 1e6) return format("%.0f", value);
  return format("%.4g", value);
}

}  // namespace perrin::console
