#include "host/app/run_console.hpp"

#include <iostream>

namespace perrin::app {

void RunConsole::work(const record::Work& work) {
  if (!bar_ || shown_ != work.what) {
    bar_.reset();  // ends its line
    bar_ = std::make_unique<console::Progress>(std::string(work.what), work.total, std::string(work.unit), work.begun);
    shown_ = work.what;
  }
  bar_->set_total(work.total);
  bar_->update(work.done, work.loss);
}

void RunConsole::text(std::string_view line) {
  end_bar();
  std::cerr << line << "\n";
}

void RunConsole::image(std::string_view, int64_t, const store::Image&, const std::filesystem::path&) { end_bar(); }

void RunConsole::status(std::string_view, std::string_view) { end_bar(); }

void RunConsole::end_bar() { bar_.reset(); }

}  // namespace perrin::app
