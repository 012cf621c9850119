// A progress bar for work of known or unknown length.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "host/console/progress_text.hpp"

namespace perrin::console {

// On a terminal one line, redrawn at most ten times a second; elsewhere a plain line every ten seconds and one at the
// end. update() costs tens of nanoseconds between redraws. One thread uses it. The destructor ends the line.
class Progress {
 public:
  // start: what was done before, by an earlier process; it does not count for the rate. total 0: not known yet.
  Progress(std::string label, int64_t total, std::string unit, int64_t start = 0, int descriptor = 2);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void set_total(int64_t total) { state_.total = total; }
  void update(int64_t done, double loss = NAN);

 private:
  void draw(double now, bool last);
  void write(const std::string& text) const;

  ProgressState state_;
  Rate rate_;
  int descriptor_;
  bool tty_;
  double started_, next_;  // seconds of the steady clock
};

}  // namespace perrin::console
