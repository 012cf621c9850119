// Writes run.h5 while the run goes on. See docs/reference/run-h5.md for the file, layout.hpp for what it holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "host/store/layout.hpp"

namespace perrin::store {

class WriterThread;

// All HDF5 work is done on the writer's own thread; the calls below copy into a bounded queue and return (they wait
// only while 16 MiB are queued). Safe to call from several threads. The first failure of the thread (full disk) is kept
// and thrown, as perrin::Error naming the file, by every later call; rows before it stay readable.
// Readers see new rows within two seconds, and at once after sync().
class Writer {
 public:
  // Refuses an existing file. The file appears complete, or not at all.
  static Writer create(const std::filesystem::path& file, const Layout& layout);

  // Continues a run that stopped, however it stopped: rows and images with step > `step` are dropped, a row is added to
  // /segments, status is "running". The old file is replaced only by the complete new one.
  static Writer resume(const std::filesystem::path& file, int64_t step);
  // The same with another layout: its texts are kept, columns that the old file lacks are NaN in the old rows. Throws
  // Damaged, and leaves the file as it is, where not all rows up to `step` can be read.
  static Writer resume(const std::filesystem::path& file, int64_t step, const Layout& layout);
  // A new file of what can be read of a damaged one: the rows of each group before the first that cannot.
  static Writer rescue(const std::filesystem::path& damaged, const std::filesystem::path& file, int64_t step,
                       const Layout& layout);

  // Closes the file of a run that was killed between its last words and this: the same rows, segments and status. Does
  // nothing to a file that is closed.
  static void close_killed(const std::filesystem::path& file);

  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();  // close() without its error

  // values in the order of the group's columns; NaN is allowed in a float64 column, an int64 one takes whole numbers
  // only. wall_time: Unix seconds. An unknown group or another count is an Error: the structure is fixed at creation.
  void append(std::string_view group, int64_t step, double wall_time, std::span<const double> values);
  void append_image(std::string_view tag, int64_t step, std::span<const uint8_t> pixels);  // [height, width, channels]
  void set_status(std::string_view status);  // running, finished, interrupted, failed
  void sync();                               // everything queued so far is on the disk
  void close();                              // drains, writes, closes; further calls but close() are Errors

 private:
  explicit Writer(std::unique_ptr<WriterThread> thread);
  std::unique_ptr<WriterThread> thread_;
};

}  // namespace perrin::store
