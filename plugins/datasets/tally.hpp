// What a dataset passed over while it looked for samples.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace perrin::datasets {

// Counts names by what is the matter with them, and keeps the first as the example.
class Tally {
 public:
  void add(const std::string& reason, std::string_view name);
  // All of it, to end a message with; empty if there is nothing.
  std::string text() const;
  // One warning a reason in the log, about what lies in `where`.
  void say(const std::string& where) const;

 private:
  struct Count {
    uint64_t n = 0;
    std::string example;
  };
  static std::string line(const std::string& reason, const Count& count);

  std::map<std::string, Count> counts_;
};

// One warning in the log.
void warn(const std::string& line);

}  // namespace perrin::datasets
