#include "host/console/progress.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "host/base/printable.hpp"

namespace perrin::console {
namespace {

constexpr double kRedrawEvery = 0.1, kLineEvery = 10;  // seconds

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Progress::Progress(std::string label, int64_t total, std::string unit, int64_t start, int descriptor)
    : descriptor_(descriptor),
      tty_(Terminal::of(descriptor).tty),
      started_(steady_seconds()),
      next_(started_ + (tty_ ? kRedrawEvery : kLineEvery)) {
  state_.label = one_line(label);
  state_.unit = std::move(unit);
  state_.done = start;
  state_.total = total;
  rate_.add(started_, start);
}

Progress::~Progress() { draw(steady_seconds(), true); }

void Progress::update(int64_t done, double loss) {
  state_.done = done;
  state_.loss = loss;
  if (const double now = steady_seconds(); now >= next_) draw(now, false);
}

void Progress::draw(double now, bool last) {
  rate_.add(now, state_.done);
  state_.elapsed = now - started_;
  state_.rate = rate_.per_second();
  next_ = now + (tty_ ? kRedrawEvery : kLineEvery);
  if (!tty_) return write(progress_plain(state_) + "\n");
  // Back to the first column, the new text, and what is left of the old one erased.
  write("\r" + progress_line(state_, Terminal::of(descriptor_)) + "\x1b[K" + (last ? "\n" : ""));
}

// Nothing is done about a failure: progress must not end the work that it reports on.
void Progress::write(const std::string& text) const {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(descriptor_, text.data() + at, text.size() - at);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) at += static_cast<size_t>(n);
  }
}

}  // namespace perrin::console
