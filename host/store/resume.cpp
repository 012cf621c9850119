#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "host/store/atomic_file.hpp"
#include "host/store/clock.hpp"
#include "host/store/reader.hpp"
#include "host/store/salvage.hpp"
#include "host/store/writer.hpp"
#include "host/store/writer_thread.hpp"

namespace perrin::store {
namespace {

// Rows of one group up to and including `last`. What the old file lacks is NaN.
Rows kept_rows(const Reader& reader, const Group& group, int64_t last) {
  Rows rows;
  const std::vector<Group>& held = reader.layout().groups;
  const auto old = std::ranges::find(held, group.name, &Group::name);
  rows.values.resize(group.columns.size());
  if (old == held.end()) return rows;
  const Series times = reader.series(group.name, "wall_time");
  const auto end = std::upper_bound(times.step.begin(), times.step.end(), last);
  const auto n = static_cast<size_t>(end - times.step.begin());
  rows.step.assign(times.step.begin(), end);
  rows.wall_time.assign(times.value.begin(), times.value.begin() + static_cast<ptrdiff_t>(n));
  for (size_t c = 0; c < group.columns.size(); ++c) {
    const bool there = std::ranges::count(old->columns, group.columns[c].name, &Column::name) > 0;
    rows.values[c] = there ? reader.series(group.name, group.columns[c].name).value
                           : std::vector<double>(n, std::numeric_limits<double>::quiet_NaN());
    rows.values[c].resize(n);
  }
  return rows;
}

void copy(const Reader& reader, const Layout& layout, int64_t last, RunFile& into) {
  for (size_t g = 0; g < layout.groups.size(); ++g) into.append(g, kept_rows(reader, layout.groups[g], last));
  for (size_t t = 0; t < layout.images.size(); ++t) {
    const ImageTag& tag = layout.images[t];
    if (std::ranges::count(reader.layout().images, tag) == 0) continue;
    const std::vector<int64_t> steps = reader.image_steps(tag.tag);
    for (size_t i = 0; i < steps.size(); ++i)
      if (steps[i] <= last) into.append_image(t, steps[i], reader.image(tag.tag, static_cast<int64_t>(i)).data());
  }
}

// HDF5 keeps no checksum of numbers: what a power cut left as zeros shows in the steps.
void check_steps(const Reader& reader, const std::filesystem::path& file) {
  for (const Group& group : reader.layout().groups) {
    const std::vector<int64_t> steps = reader.series(group.name, "step").step;
    if (!std::ranges::is_sorted(steps))
      throw Damaged(
          "the results file " + file.string() + " is damaged: the steps of /metrics/" + group.name + " do not ascend",
          file.string(), "restore it from a copy; checkpoints beside it are separate files and may be whole");
  }
}

int64_t count_dropped(const Reader& reader, int64_t last) {
  int64_t dropped = 0;
  const auto count = [&](const std::vector<int64_t>& steps) {
    for (const int64_t step : steps) dropped += step > last;
  };
  for (const Group& group : reader.layout().groups) count(reader.series(group.name, "step").step);
  for (const ImageTag& tag : reader.layout().images) count(reader.image_steps(tag.tag));
  return dropped;
}

}  // namespace

std::unique_ptr<WriterThread> WriterThread::start(const std::filesystem::path& file, const Layout& layout,
                                                  std::span<const Segment> segments, const std::string& start_time,
                                                  const std::function<void(RunFile&)>& fill) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  RunFile run;
  try {
    const auto held = hdf5::lock();
    run = RunFile::create(temporary, layout, segments, start_time);
    fill(run);
    run.sync();
    RunLock lock(temporary);
    if (::rename(temporary.c_str(), file.c_str()) != 0) throw hdf5::Failure{"renaming", "", errno};
    sync_folder(file);
    return std::make_unique<WriterThread>(file, std::move(run), std::move(lock), layout);
  } catch (const hdf5::Failure& failure) {
    run.abandon();
    ::unlink(temporary.c_str());
    throw write_error(failure, file);
  } catch (...) {
    run.abandon();
    ::unlink(temporary.c_str());
    throw;
  }
}

Writer Writer::resume(const std::filesystem::path& file, int64_t step) {
  return resume(file, step, Reader::open(file).layout());
}

// The lock comes before the reading: an evaluation that another process adds is not lost.
Writer Writer::resume(const std::filesystem::path& file, int64_t step, const Layout& layout) {
  const RunLock lock(file);
  const Reader old = Reader::open(file);
  check_steps(old, file);
  Layout next = layout;
  next.evaluations = old.layout().evaluations;
  std::vector<Segment> segments = old.segments();
  segments.push_back({step, unix_seconds(), count_dropped(old, step)});
  return Writer(
      WriterThread::start(file, next, segments, old.start_time(), [&](RunFile& run) { copy(old, next, step, run); }));
}

Writer Writer::rescue(const std::filesystem::path& damaged, const std::filesystem::path& file, int64_t step,
                      const Layout& layout) {
  const Salvaged held = salvage(damaged, layout, step);
  Layout next = layout;
  next.evaluations = held.evaluations;
  std::vector<Segment> segments = held.segments;
  segments.push_back({step, unix_seconds(), 0});
  const std::string begun = held.start_time.empty() ? utc(unix_seconds()) : held.start_time;
  return Writer(WriterThread::start(file, next, segments, begun, [&](RunFile& run) {
    for (size_t g = 0; g < held.rows.size(); ++g) run.append(g, held.rows[g]);
    for (size_t t = 0; t < held.images.size(); ++t)
      for (const auto& [at, pixels] : held.images[t]) run.append_image(t, at, pixels.data());
  }));
}

// The lock comes before the reading here, too.
void Writer::close_killed(const std::filesystem::path& file) {
  const RunLock lock(file);
  const Reader old = Reader::open(file);
  if (old.closed()) return;
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  Writer whole(WriterThread::start(file, old.layout(), old.segments(), old.start_time(),
                                   [&](RunFile& run) { copy(old, old.layout(), kAll, run); }));
  whole.set_status(old.status());
  whole.close();
}

}  // namespace perrin::store
