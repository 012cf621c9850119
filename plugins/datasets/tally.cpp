#include "tally.hpp"

#include "perrin/cpp/plugin.hpp"
#include "perrin/cpp/text_file.hpp"
#include "perrin/host/log.h"

namespace perrin::datasets {

void Tally::add(const std::string& reason, std::string_view name) {
  Count& count = counts_[reason];
  if (count.n++ == 0) count.example = name;
}

std::string Tally::text() const {
  std::string all;
  for (const auto& [reason, count] : counts_) all += "; " + line(reason, count);
  return all;
}

void Tally::say(const std::string& where) const {
  for (const auto& [reason, count] : counts_) warn(printable(where) + ": " + line(reason, count));
}

std::string Tally::line(const std::string& reason, const Count& count) {
  return reason + " (" + std::to_string(count.n) + (count.n > 1 ? ", such as " : ": ") + printable(count.example) + ")";
}

void warn(const std::string& line) { service<perrin_host_log>(PERRIN_HOST_LOG)->write(PERRIN_LOG_WARNING, text(line)); }

}  // namespace perrin::datasets
