#include <unistd.h>

#include <cerrno>
#include <limits>

#include "host/store/atomic_file.hpp"
#include "host/store/clock.hpp"
#include "host/store/reader.hpp"
#include "host/store/writer_impl.hpp"

namespace perrin::store {
namespace {

// Rows of one group up to and including `last`.
Rows kept_rows(const Reader& reader, const Group& group, int64_t last) {
  Rows rows;
  for (size_t c = 0; c <= group.columns.size(); ++c) {
    const bool times = c == group.columns.size();
    const Series series = reader.series(group.name, times ? "wall_time" : group.columns[c].name);
    auto& into = times ? rows.wall_time : rows.values.emplace_back();
    for (size_t i = 0; i < series.step.size(); ++i)
      if (series.step[i] <= last) into.push_back(series.value[i]);
    if (!times) continue;
    for (const int64_t step : series.step)
      if (step <= last) rows.step.push_back(step);
  }
  return rows;
}

void copy(const Reader& reader, int64_t last, RunFile& into) {
  const Layout& layout = reader.layout();
  for (size_t g = 0; g < layout.groups.size(); ++g) into.append(g, kept_rows(reader, layout.groups[g], last));
  for (size_t t = 0; t < layout.images.size(); ++t) {
    const std::string& tag = layout.images[t].tag;
    const std::vector<int64_t> steps = reader.image_steps(tag);
    for (size_t i = 0; i < steps.size(); ++i)
      if (steps[i] <= last) into.append_image(t, steps[i], reader.image(tag, static_cast<int64_t>(i)).data());
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

std::unique_ptr<Writer::Impl> Writer::Impl::start(const std::filesystem::path& file, const Layout& layout,
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
    return std::make_unique<Impl>(file, std::move(run), std::move(lock), layout);
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
  const Reader old = Reader::open(file);
  const RunLock lock(file);
  std::vector<Segment> segments = old.segments();
  segments.push_back({step, unix_seconds(), count_dropped(old, step)});
  return Writer(
      Impl::start(file, old.layout(), segments, old.start_time(), [&](RunFile& run) { copy(old, step, run); }));
}

void Writer::close_killed(const std::filesystem::path& file) {
  const Reader old = Reader::open(file);
  if (old.closed()) return;
  const RunLock lock(file);
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  Writer whole(Impl::start(file, old.layout(), old.segments(), old.start_time(),
                           [&](RunFile& run) { copy(old, kAll, run); }));
  whole.set_status(old.status());
  whole.close();
}

}  // namespace perrin::store
