// Full and read-only disks: a small tmpfs where the test may mount one, else a limit on the size of files.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/store/png.hpp"
#include "host/store/safetensors.hpp"
#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

class DiskTest : public StoreTest {
 protected:
  ~DiskTest() override {
    if (mounted) umount2(disk.c_str(), MNT_DETACH);
  }
  bool mount_disk(const char* options) {
    disk = folder / "disk";
    std::filesystem::create_directory(disk);
    mounted = mount("tmpfs", disk.c_str(), "tmpfs", 0, options) == 0;
    return mounted;
  }

  // Appends until the writer fails; returns the message. synced: rows that were synced before.
  static std::string fill_the_disk(Writer& writer, int64_t& synced) {
    return message_of([&] {
      for (int64_t step = 0; step < 10'000'000; step += 1000) {
        fill(writer, step, step + 1000);
        writer.sync();
        synced = step + 1000;
      }
    });
  }

  static void check_rows(const std::filesystem::path& path, int64_t synced) {
    const Series loss = Reader::open(path).series("train", "loss");
    EXPECT_GE(static_cast<int64_t>(loss.step.size()), synced);
    for (size_t i = 0; i < loss.step.size(); ++i) ASSERT_EQ(loss.value[i], 1.0 / static_cast<double>(i + 1)) << i;
  }

  std::filesystem::path disk;
  bool mounted = false;
};

// A process of its own: the failed file stays open in it, as it would in the run. Its exit code is `body`'s.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(DiskTest, AFullDiskIsAnErrorAndTheRowsBeforeItAreSafe) {
  if (!mount_disk("size=1m"))
    GTEST_SKIP() << "needs the right to mount a tmpfs; the test with a file size limit covers the same calls";
  int64_t synced = 0;
  const std::filesystem::path path = disk / "run.h5";
  {
    Writer writer = Writer::create(path, layout());
    const std::string message = fill_the_disk(writer, synced);
    EXPECT_CONTAINS(message, "No space left on device");
    EXPECT_CONTAINS(message, path.string());
    EXPECT_CONTAINS(message, "fix: free space");
    EXPECT_CONTAINS(message_of([&] { writer.sync(); }), "No space left");
    EXPECT_CONTAINS(message_of([&] { writer.close(); }), "No space left");
  }
  EXPECT_EQ(in_child([&] { return check_rows(path, synced), HasFailure(); }), 0);
  std::printf("full after %lld synced rows: all there\n", static_cast<long long>(synced));
  EXPECT_GT(synced, 1000);

  // Resume on a disk that is still full fails and leaves the old file; with space it goes on.
  EXPECT_EQ(in_child([&] {
              EXPECT_CONTAINS(message_of([&] { Writer::resume(path, synced); }), "No space left");
              check_rows(path, synced);
              EXPECT_FALSE(std::filesystem::exists(path.string() + ".tmp"));
              return HasFailure();
            }),
            0);
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
  EXPECT_EQ(in_child([&] {
              Writer::resume(path, synced - 1).close();
              check_rows(path, synced);
              return HasFailure();
            }),
            0);
}

TEST_F(DiskTest, ALimitOnTheSizeOfFilesIsAnErrorAndTheRowsBeforeItAreSafe) {
  signal(SIGXFSZ, SIG_IGN);
  EXPECT_EQ(in_child([&] {
              const rlimit limit{1 << 20, 1 << 20};
              setrlimit(RLIMIT_FSIZE, &limit);
              int64_t synced = 0;
              Writer writer = Writer::create(file, layout());
              EXPECT_CONTAINS(fill_the_disk(writer, synced), "File too large");
              std::ofstream(folder / "synced") << synced;
              return HasFailure();
            }),
            0);
  int64_t synced = 0;
  std::ifstream(folder / "synced") >> synced;
  EXPECT_GT(synced, 1000);
  check_rows(file, synced);
}

TEST_F(DiskTest, NoRoomEvenForTheStructureLeavesNothingBehind) {
  if (!mount_disk("size=16k")) GTEST_SKIP() << "needs the right to mount a tmpfs";
  EXPECT_CONTAINS(message_of([&] { Writer::create(disk / "run.h5", layout()); }), "No space left on device");
  EXPECT_TRUE(std::filesystem::is_empty(disk));
  const std::vector<float> weights(100'000);
  const TensorView tensor{"w", Dtype::f32, {100'000}, std::as_bytes(std::span(weights))};
  EXPECT_CONTAINS(message_of([&] { write_safetensors(disk / "a", {&tensor, 1}, {}); }), "No space left on device");
  EXPECT_TRUE(std::filesystem::is_empty(disk));
}

TEST_F(DiskTest, AFullDiskKeepsTheCheckpointThatWasThere) {
  if (!mount_disk("size=600k")) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const std::vector<float> weights(100'000, 3.0f);
  const TensorView tensor{"w", Dtype::f32, {100'000}, std::as_bytes(std::span(weights))};
  write_safetensors(disk / "a", {&tensor, 1}, {});
  EXPECT_CONTAINS(message_of([&] { write_safetensors(disk / "a", {&tensor, 1}, {}); }), "No space left on device");
  EXPECT_EQ(SafeTensors::open(disk / "a").find("w")->bytes.size(), 400'000u);
}

TEST_F(DiskTest, AReadOnlyDiskNamesTheFileAndTheFix) {
  if (!mount_disk("ro")) GTEST_SKIP() << "needs the right to mount a tmpfs";
  for (const std::string& message :
       {message_of([&] { Writer::create(disk / "run.h5", layout()); }),
        message_of([&] { write_safetensors(disk / "a.safetensors", {}, {}); }), message_of([&] {
          write_png(disk / "a.png", {1, 1, 1, {0}});
        })}) {
    EXPECT_CONTAINS(message, "Read-only file system");
    EXPECT_CONTAINS(message, (disk / "").string());
    EXPECT_CONTAINS(message, "choose a folder that you can write");
  }
}

TEST_F(DiskTest, AFolderThatIsNotThereNamesTheFix) {
  const std::string message = message_of([&] { Writer::create(folder / "absent" / "run.h5", layout()); });
  EXPECT_CONTAINS(message, "No such file or directory");
  EXPECT_CONTAINS(message, "create the folder first");
}

}  // namespace
}  // namespace perrin::store
