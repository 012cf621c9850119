#include "host/console/progress.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "host/console/text_width.hpp"

namespace perrin::console {
namespace {

Terminal plain(int width) { return {true, false, true, width}; }

ProgressState halfway() { return {"train", "step", 450, 1000, 12.3, 40, 0.012345}; }

TEST(ProgressLine, ShowsBarRateEtaAndLoss) {
  EXPECT_EQ(progress_line(halfway(), plain(80)),
            "train ━━━━━━━━━╸────────────  45% 450/1000  12.3 step/s  eta 0:45  loss 0.01235");
  EXPECT_EQ(progress_plain(halfway()), "train: 450/1000 (45 %), 12.3 step/s, eta 0:45, loss 0.01235");
}

TEST(ProgressLine, IsNeverWiderThanTheTerminal) {
  for (int width = 20; width < 200; ++width)
    for (const int64_t done : {0, 1, 999, 1000}) {
      ProgressState state = halfway();
      state.done = done;
      EXPECT_LT(display_width(progress_line(state, plain(width))), width);
    }
}

TEST(ProgressLine, SlowWorkIsSecondsPerUnit) {
  ProgressState state = halfway();
  state.rate = 0.25;
  EXPECT_NE(progress_plain(state).find("4.00 s/step"), std::string::npos) << progress_plain(state);
}

TEST(ProgressLine, UnknownTotalRateAndLossAreLeftOut) {
  EXPECT_EQ(progress_plain({"sampling", "call", 7, 0, 0, 3, NAN}), "sampling: 7 call, in 3.0 s");
  EXPECT_EQ(progress_plain({"train", "step", 0, 10, 0, 0, NAN}), "train: 0/10 (0 %)");
}

TEST(ProgressLine, AsciiAndColor) {
  ProgressState state{"t", "step", 5, 10, 0, 1, NAN};
  EXPECT_EQ(progress_line(state, {true, false, false, 32}), "t #########-.........  50% 5/10");
  EXPECT_NE(progress_line(state, {true, true, true, 40}).find("\x1b[36m"), std::string::npos);
}

TEST(RateEstimate, ForgetsWhatIsOlderThanTenSeconds) {
  Rate rate;
  EXPECT_EQ(rate.per_second(), 0);
  for (int i = 0; i <= 100; ++i) rate.add(i * 0.5, i);  // 2 per second
  EXPECT_NEAR(rate.per_second(), 2, 1e-9);
  for (int i = 1; i <= 100; ++i) rate.add(50 + i * 0.5, 100 + 5 * i);  // 10 per second
  EXPECT_NEAR(rate.per_second(), 10, 1e-9);
  for (int i = 1; i <= 1000; ++i) rate.add(100 + i * 0.001, 600 + i);  // many within a moment
  EXPECT_NEAR(rate.per_second(), (1000 + 90) / 10.0, 15);
}

// What a Progress writes to a pipe: the one plain line at the end.
TEST(ProgressOutput, ElsewhereThanOnATerminalItIsOneLineAtTheEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    Progress progress("train", 1000, "step", 900, ends[1]);
    for (int i = 901; i <= 1000; ++i) progress.update(i, 0.5);
  }
  close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(ends[0], text.data(), text.size()))));
  close(ends[0]);
  EXPECT_EQ(text.substr(0, 26), "train: 1000/1000 (100 %), ");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

struct Pty {
  int leader = -1, follower = -1;
  Pty() {
    winsize size{24, 60, 0, 0};
    if (openpty(&leader, &follower, nullptr, nullptr, &size) != 0) leader = -1;
  }
  ~Pty() { close(leader), close(follower); }
  std::string read_all() const {
    std::string text(1 << 16, '\0');
    text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(leader, text.data(), text.size()))));
    return text;
  }
};

TEST(ProgressOutput, OnATerminalItRedrawsAtMostTenTimesASecondWithinTheWidth) {
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);
  const Pty pty;
  if (pty.leader < 0) GTEST_SKIP() << "no pseudo-terminal here";
  {
    Progress progress("train", 100'000, "step", 0, pty.follower);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(550);
    for (int i = 0; std::chrono::steady_clock::now() < end; ++i) {
      progress.update(i % 100'000, 0.5);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  const std::string text = pty.read_all();
  // "\r" starts every redraw; the terminal turns the final "\n" into "\r\n".
  const auto redraws = std::count(text.begin(), text.end(), '\r') - 1;
  EXPECT_GE(redraws, 2) << text;
  EXPECT_LE(redraws, 7) << text;
  EXPECT_EQ(text.find("\x1b[36m"), std::string::npos) << "NO_COLOR";
  size_t from = 0;
  for (size_t at = text.find("\x1b[K"); at != text.npos; from = at + 3, at = text.find("\x1b[K", from))
    EXPECT_LT(display_width(text.substr(from, at - from)), 60);
  unsetenv("NO_COLOR");
}

TEST(TerminalFacts, WidthColorAndDumbTerminals) {
  const Pty pty;
  if (pty.leader < 0) GTEST_SKIP() << "no pseudo-terminal here";
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_TRUE(Terminal::of(pty.follower).tty);
  EXPECT_TRUE(Terminal::of(pty.follower).color);
  EXPECT_EQ(Terminal::of(pty.follower).width, 60);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Terminal::of(pty.follower).color);
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(Terminal::of(pty.follower).tty);
  setenv("TERM", "xterm", 1);
  setenv("LC_ALL", "C", 1);
  EXPECT_FALSE(Terminal::of(pty.follower).unicode);
  setenv("LC_ALL", "de_DE.UTF-8", 1);
  EXPECT_TRUE(Terminal::of(pty.follower).unicode);
  unsetenv("LC_ALL");
}

}  // namespace
}  // namespace perrin::console
