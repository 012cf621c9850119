// Files that are no plugin at all: refused before anything is executed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/services/host.hpp"
#include "tests/hostile/plugins/scratch.hpp"

namespace perrin::test {
namespace {

class File : public testing::Test {
 protected:
  std::string problem(const std::string& name) {
    auto index = loader::Index::scan(scratch.places());
    const auto& library = listed(index, name);
    return library.problem ? library.problem->what : "none";
  }
  // Both doors: listing and loading.
  void expect_refused(const std::string& name, const std::string& reason) {
    EXPECT_EQ(problem(name), reason);
    loader::Registry registry(services::loader_host());
    try {
      registry.load(scratch.root() / (name + ".so"));
      ADD_FAILURE() << "loaded";
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), reason);
      EXPECT_NE(error.where.find(name + ".so"), std::string::npos) << error.where;
      EXPECT_FALSE(error.fix.empty());
    }
  }
  std::string good() { return read_bytes(fs::path(PERRIN_FIXTURES) / "good.so"); }

  Scratch scratch;
};

TEST_F(File, text) {
  scratch.write("text.so", "#!/bin/sh\necho hello\n");
  expect_refused("text",
                 "not an ELF shared library (it does not start with \\x7f"
                 "ELF)");
}

TEST_F(File, empty) {
  scratch.write("empty.so", "");
  expect_refused("empty",
                 "not an ELF shared library (it does not start with \\x7f"
                 "ELF)");
}

TEST_F(File, cut_in_the_header) {
  scratch.write("cut.so", good().substr(0, 10));
  expect_refused("cut", "the file is cut off within the ELF header");
}

TEST_F(File, cut_in_half) {
  const std::string whole = good();
  scratch.write("half.so", whole.substr(0, whole.size() / 2));
  EXPECT_NE(problem("half").find("the file is cut off"), std::string::npos) << problem("half");
}

TEST_F(File, of_32_bits) {
  std::string bytes = good();
  bytes[4] = 1;  // EI_CLASS
  scratch.write("narrow.so", bytes);
  expect_refused("narrow", "a 32-bit library; this host is 64-bit");
}

TEST_F(File, big_endian) {
  std::string bytes = good();
  bytes[5] = 2;  // EI_DATA
  scratch.write("big.so", bytes);
  expect_refused("big", "a big-endian library; this host is little-endian");
}

#ifdef __x86_64__
TEST_F(File, of_another_processor) {
  std::string bytes = good();
  bytes[18] = static_cast<char>(183);  // e_machine: EM_AARCH64
  scratch.write("arm.so", bytes);
  expect_refused("arm", "built for aarch64; this host is x86-64");
}
#endif

TEST_F(File, a_program) {
  fs::copy_file(PERRIN_PROBE, scratch.root() / "program.so");
  expect_refused("program", "a program, not a shared library");
}

TEST_F(File, of_another_note_size) {
  std::string bytes = good();
  const size_t name = bytes.find("Perrin", bytes.find("\x78\0\0\0\1\0\0\0Perrin", 0, 14));
  ASSERT_NE(name, std::string::npos);
  bytes[name - 8] = 0x74;  // n_descsz
  scratch.write("note.so", bytes);
  expect_refused("note", "its .note.perrin.abi has 116 bytes; ABI major 1 has 120");
}

TEST_F(File, world_writable) {
  const auto file = scratch.add("good", "open");
  ::chmod(file.c_str(), 0666);
  expect_refused("open", "every user may write to this file, so it is not loaded");
}

TEST_F(File, in_a_world_writable_folder) {
  scratch.add("good", "open");
  ::chmod(scratch.root().c_str(), 0777);
  expect_refused("open",
                 "every user may replace files in " + fs::canonical(scratch.root()).string() + ", so it is not loaded");
  ::chmod(scratch.root().c_str(), 0755);
}

TEST_F(File, below_a_folder_that_every_user_may_change) {
  scratch.add("good", "open");
  ::chmod(scratch.path.c_str(), 0777);
  expect_refused("open", "every user may replace files in " + fs::canonical(scratch.path).string() + ", so it is not loaded");
  ::chmod(scratch.path.c_str(), 0755);
}

TEST_F(File, of_another_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto file = scratch.add("good", "theirs");
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  expect_refused("theirs", "this file belongs to another user (number 12345), so it is not loaded");
  ASSERT_EQ(::chown(file.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(scratch.root().c_str(), 12345, 12345), 0);
  expect_refused("theirs", "the folder " + fs::canonical(scratch.root()).string() + " belongs to another user (number 12345), so it is not loaded");
}

TEST_F(File, unreadable_things_are_listed_and_stop_nobody) {
  fs::create_symlink("/nowhere/at/all.so", scratch.root() / "dangling.so");
  fs::create_directory(scratch.root() / "folder.so");
  ::mkfifo((scratch.root() / "pipe.so").c_str(), 0600);
  scratch.add("good");
  auto index = loader::Index::scan(scratch.places());
  EXPECT_EQ(index.libraries().size(), 3u) << "a folder is no library";
  EXPECT_FALSE(listed(index, "good").problem);
  EXPECT_EQ(listed(index, "dangling").problem->what, "cannot be read: No such file or directory");
  EXPECT_EQ(listed(index, "pipe").problem->what, "not a regular file");
}

}  // namespace
}  // namespace perrin::test
