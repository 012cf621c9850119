// A run on the terminal: a progress bar and words on stderr.
#pragma once

#include <memory>
#include <string>

#include "host/console/progress.hpp"
#include "host/record/sink.hpp"

namespace perrin::app {

class RunConsole final : public record::Sink {
 public:
  void work(const record::Work& work) override;
  void text(std::string_view line) override;
  void image(std::string_view tag, int64_t step, const store::Image& image, const std::filesystem::path& file) override;
  void status(std::string_view status, std::string_view why) override;

 private:
  void end_bar();

  std::unique_ptr<console::Progress> bar_;
  std::string shown_;  // what the bar is of
};

}  // namespace perrin::app
