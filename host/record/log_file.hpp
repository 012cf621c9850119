// run.log: words for people, appended. Lines of before the run has a folder wait for it.
#pragma once

#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "host/record/sink.hpp"

namespace perrin::record {

class LogFile final : public Sink {
 public:
  // From now on lines go to the file, after those that waited. What cannot be written is not: a run needs no log.
  void open(const std::filesystem::path& file);
  bool is_open() const;
  std::vector<std::string> waiting() const;

  void text(std::string_view line) override;
  void status(std::string_view status, std::string_view why) override;

 private:
  mutable std::mutex mutex_;
  std::ofstream file_;
  std::vector<std::string> waiting_;
};

}  // namespace perrin::record
