#include <array>
#include <fstream>
#include <limits>
#include <sstream>

#include "discrete.hpp"
#include "perrin/host/artifact.h"

namespace perrin::schedules {
namespace {

constexpr std::array<const char*, 3> quantities = {"betas", "alphas_bar", "sigmas"};

struct Numbers {
  std::string quantity;  // one of `quantities`
  std::vector<double> values;
};

bool is_quantity(const std::string& name) {
  return std::find(quantities.begin(), quantities.end(), name) != quantities.end();
}

// The quantity's name, then its numbers, separated by commas, white space or lines.
Numbers read_csv(const std::string& name) {
  perrin_text path{};
  check(service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(text(name), &path));
  const std::string where(view(path));
  std::ifstream file(where);
  Numbers numbers;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream cells(line);
    for (std::string cell; cells >> cell;) {
      char* end = nullptr;
      const double value = std::strtod(cell.c_str(), &end);
      if (numbers.quantity.empty() && is_quantity(cell))
        numbers.quantity = cell;
      else if (numbers.quantity.empty())
        throw Failure(PERRIN_INVALID_CONFIG,
                      where + " begins with \"" + cell +
                          "\": its first line has to say what the numbers are, betas, alphas_bar "
                          "or sigmas");
      else if (*end != '\0')
        throw Failure(PERRIN_INVALID_CONFIG,
                      where + ":" + std::to_string(number) + ": \"" + cell + "\" is not a number");
      else
        numbers.values.push_back(value);
    }
  }
  return numbers;
}

Numbers read(const Config& config) {
  for (const char* quantity : quantities)
    if (std::vector<double> values = config.numbers(quantity); !values.empty()) return {quantity, std::move(values)};
  return read_csv(config.string("file"));
}

[[noreturn]] void refuse(const std::string& quantity, size_t i, double value, const char* rule) {
  throw Failure(PERRIN_INVALID_CONFIG, quantity + " " + rule + "; number " + std::to_string(i + 1) +
                                           " of the list is " + std::to_string(value));
}

// abar = alpha^2 of a level, from its own number and the level before it.
double abar_of(const std::string& quantity, double value, double previous) {
  if (quantity == "betas") return previous * (1 - value);
  if (quantity == "sigmas") return 1 / (1 + value * value);
  return value;
}

std::vector<double> betas(const Numbers& numbers) {
  const auto& [quantity, values] = numbers;
  if (values.size() < 2) throw Failure(PERRIN_INVALID_CONFIG, "a schedule has two levels or more");
  std::vector<double> betas;
  double previous = 1;
  for (size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    if (quantity == "betas" && !(v > 0 && v <= 1)) refuse(quantity, i, v, "lie above 0 and up to 1");
    if (quantity == "sigmas" && !(v > 0 && v < std::numeric_limits<double>::infinity()))
      refuse(quantity, i, v, "are positive and finite");
    if (quantity == "alphas_bar" && !(v >= 0 && v < 1)) refuse(quantity, i, v, "lie from 0 to below 1");
    const double abar = abar_of(quantity, v, previous);
    if (!(abar < previous)) refuse(quantity, i, v, "only ever add noise, the cleanest first");
    betas.push_back(1 - abar / previous);
    previous = abar;
  }
  return betas;
}

struct Custom : Discrete {
  static constexpr std::string_view id = "custom", version = "0.1.0";
  static constexpr std::string_view doc =
      "The user's own levels, the cleanest first, as one list or a CSV file; their number is T. alpha^2 + sigma^2 = 1.";
  static std::vector<Key> keys() {
    return {
        Key::numbers("betas", "[]", "beta of each step"),
        Key::numbers("alphas_bar", "[]", "or abar = alpha^2 of each level, falling"),
        Key::numbers("sigmas", "[]", "or sigma / alpha of each level, rising"),
        Key::string("file", "\"\"",
                    "or a CSV file with one of the three: its name in the first line, then the numbers; the path is "
                    "relative to the experiment's folder"),
        zero_terminal_snr_key()};
  }
  static void validate(const Config& config) {
    int given = config.string("file").empty() ? 0 : 1;
    for (const char* quantity : quantities) given += config.numbers(quantity).empty() ? 0 : 1;
    if (given != 1)
      throw Failure(PERRIN_INVALID_CONFIG, "give one of betas, alphas_bar, sigmas and file; " +
                                               std::string(given == 0 ? "none is there" : "there is more than one"));
  }
  explicit Custom(const Config& config)
      : Discrete(perrin::schedules::betas(read(config)), config.boolean("zero_terminal_snr")) {}
};
PERRIN_SCHEDULE(Custom);

}  // namespace
}  // namespace perrin::schedules
