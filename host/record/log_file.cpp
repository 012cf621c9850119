#include "host/record/log_file.hpp"

namespace perrin::record {

void LogFile::open(const std::filesystem::path& file) {
  const std::lock_guard held(mutex_);
  file_.open(file, std::ios::app);
  for (const std::string& line : waiting_) file_ << line << std::endl;
  waiting_.clear();
}

bool LogFile::is_open() const {
  const std::lock_guard held(mutex_);
  return file_.is_open();
}

std::vector<std::string> LogFile::waiting() const {
  const std::lock_guard held(mutex_);
  return waiting_;
}

void LogFile::text(std::string_view line) {
  const std::lock_guard held(mutex_);
  if (file_.is_open())
    file_ << line << std::endl;
  else
    waiting_.emplace_back(line);
}

void LogFile::status(std::string_view status, std::string_view why) {
  text(why.empty() ? std::string(status) : std::string(status) + ": " + std::string(why));
}

}  // namespace perrin::record
