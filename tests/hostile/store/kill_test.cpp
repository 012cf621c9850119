// A writer is killed with SIGKILL at random moments: what was synced is there, what is there is right, resume goes on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

// Child: rows without end from step `first`; after every sync the last synced step goes through the pipe.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, const Layout& layout, int64_t first, int pipe,
                                     void (*fill)(Writer&, int64_t, int64_t)) {
  try {
    Writer writer = first == 0 ? Writer::create(file, layout) : Writer::resume(file, first - 1);
    for (int64_t step = first;; step += 50) {
      fill(writer, step, step + 50);
      if (step % 500 != 0) continue;
      writer.sync();
      const int64_t synced = step + 49;
      if (write(pipe, &synced, sizeof synced) != sizeof synced) _exit(3);
    }
  } catch (const Error& error) {
    std::fputs(error.message().c_str(), stderr);
    _exit(4);
  }
}

class KillTest : public StoreTest {
 protected:
  static void rows(Writer& writer, int64_t first, int64_t last) { fill(writer, first, last); }

  // Starts a child, kills it after `meanwhile`; returns the last step that it reported as synced, or -1.
  template <class Meanwhile>
  int64_t run_and_kill(int64_t first, const Meanwhile& meanwhile) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) write_until_killed(file, layout(), first, ends[1], rows);
    close(ends[1]);
    meanwhile();
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself, status " << status;
    int64_t synced = -1, next = 0;
    while (read(ends[0], &next, sizeof next) == sizeof next) synced = next;
    close(ends[0]);
    return synced;
  }

  void check(int64_t synced, int64_t& rows_after_sync) {
    const Reader reader = Reader::open(file);
    EXPECT_EQ(reader.status(), "running");
    const Series loss = reader.series("train", "loss"), samples = reader.series("train", "samples");
    ASSERT_GE(static_cast<int64_t>(loss.step.size()), synced + 1) << "a synced row is missing";
    for (size_t i = 0; i < loss.step.size(); ++i) {
      ASSERT_EQ(loss.step[i], static_cast<int64_t>(i));
      ASSERT_EQ(loss.value[i], 1.0 / static_cast<double>(i + 1)) << "row " << i << " of " << loss.step.size();
      ASSERT_EQ(samples.value[i], static_cast<double>(i * 8)) << "row " << i;
      ASSERT_EQ(loss.wall_time[i], 1e9 + static_cast<double>(i)) << "row " << i;
    }
    const auto steps = reader.image_steps("samples");
    for (size_t i = 0; i < steps.size(); ++i)
      ASSERT_EQ(reader.image("samples", static_cast<int64_t>(i)),
                std::vector<uint8_t>(72, static_cast<uint8_t>(steps[i])));
    rows_after_sync += static_cast<int64_t>(loss.step.size()) - synced - 1;
  }
};

TEST_F(KillTest, ThirtyKillsAtRandomMomentsLoseNothingThatWasSynced) {
  std::mt19937 random(20240229);  // the seed of this test
  std::uniform_int_distribution<int> delay_us(20'000, 400'000);
  int64_t synced = -1, rows_after_sync = 0, first = 0, longest = 0;
  int before_creation = 0;
  for (int kill = 0; kill < 30; ++kill) {
    const std::chrono::microseconds delay(delay_us(random));
    const int64_t last = run_and_kill(first, [&] { std::this_thread::sleep_for(delay); });
    if (!std::filesystem::exists(file)) {
      ++before_creation;
      continue;
    }
    synced = std::max(synced, last);
    ASSERT_NO_FATAL_FAILURE(check(std::max(last, first - 1), rows_after_sync))
        << "kill " << kill << " after " << delay.count() << " us";
    longest = std::max(longest, Reader::open(file).rows("train"));
    // Resume where a checkpoint could be: at a multiple of 500 that was synced; every tenth time the run starts anew.
    first = kill % 10 == 9 || last < 0 ? first : last / 500 * 500;
    if (kill % 10 == 9) {
      std::filesystem::remove(file);
      first = 0, synced = -1;
    }
  }
  std::printf(
      "30 kills: all readable and resumable (%d before the file was there); longest %lld rows; %lld rows beyond the "
      "last sync\n",
      before_creation, static_cast<long long>(longest), static_cast<long long>(rows_after_sync));
  EXPECT_LT(before_creation, 10);
}

// Opened at whatever moment of a flush, a live file is whole. A reader that compares addresses with a size of another
// moment calls one in six of these openings cut.
TEST_F(KillTest, AFileThatIsBeingWrittenNeverReadsAsCut) {
  constexpr int kOpenings = 150;
  int64_t rows = 0;
  int refused = 0;
  run_and_kill(0, [&] {
    while (!std::filesystem::exists(file)) std::this_thread::yield();
    for (int i = 0; i < kOpenings; ++i) try {
        rows = Reader::open(file).rows("train");
      } catch (const Error& error) {
        EXPECT_EQ(++refused, 0) << error.message();
      }
  });
  std::printf("%d openings of a file while it is written, the last with %lld rows: %d refused\n", kOpenings,
              static_cast<long long>(rows), refused);
  EXPECT_GT(rows, 0);
}

// The file beside, left by a kill during a resume, is neither read nor in the way.
TEST_F(KillTest, ALeftOverTemporaryFileIsReplaced) {
  Writer::create(file, layout()).close();
  std::ofstream(file.string() + ".tmp") << "left over";
  Writer::resume(file, 0).close();
  EXPECT_EQ(Reader::open(file).segments().size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".tmp"));
}

}  // namespace
}  // namespace perrin::store
