#include "host/store/writer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "host/store/atomic_file.hpp"
#include "host/store/clock.hpp"
#include "host/store/structure.hpp"
#include "host/store/writer_thread.hpp"

namespace perrin::store {

Error write_error(const hdf5::Failure& failure, const std::filesystem::path& file) {
  if (failure.error_number != 0) return file_error("write the results file", file, failure.error_number);
  return Error("cannot write the results file " + file.string() + ": " + failure.doing + ": " + failure.reason,
               file.string());
}

size_t WriterThread::group(std::string_view name, std::span<const double> values) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    if (group.name != name) continue;
    if (values.size() != group.columns.size())
      throw Error("results group \"" + group.name + "\" has " + std::to_string(group.columns.size()) +
                  " columns, the row has " + std::to_string(values.size()) + " values");
    constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
    for (size_t c = 0; c < values.size(); ++c)
      if (group.columns[c].integer && !(std::floor(values[c]) == values[c] && std::abs(values[c]) < kTooLarge))
        throw Error("results column \"" + group.name + "/" + group.columns[c].name +
                    "\" holds whole numbers, the value is " + std::to_string(values[c]));
    return i;
  }
  throw Error("results file " + path_.string() + " has no group \"" + std::string(name) +
              "\": groups are fixed when it is created");
}

size_t WriterThread::tag(std::string_view name, size_t bytes) const {
  for (size_t i = 0; i < tags_.size(); ++i) {
    const ImageTag& tag = tags_[i];
    if (tag.tag != name) continue;
    const size_t expected = size_t(tag.height) * tag.width * tag.channels;
    if (bytes != expected)
      throw Error("images \"" + tag.tag + "\" have " + std::to_string(expected) + " bytes, this one has " +
                  std::to_string(bytes));
    return i;
  }
  throw Error("results file " + path_.string() + " has no images \"" + std::string(name) +
              "\": image tags are fixed when it is created");
}

Writer::Writer(std::unique_ptr<WriterThread> thread) : thread_(std::move(thread)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

void Writer::append(std::string_view group, int64_t step, double wall_time, std::span<const double> values) {
  const auto index = static_cast<uint32_t>(thread_->group(group, values));
  thread_->push({Record::row, index, values.size_bytes(), step, wall_time}, values.data());
}

void Writer::append_image(std::string_view tag, int64_t step, std::span<const uint8_t> pixels) {
  const auto index = static_cast<uint32_t>(thread_->tag(tag, pixels.size()));
  thread_->push({Record::image, index, pixels.size(), step, 0}, pixels.data());
}

void Writer::set_status(std::string_view status) {
  constexpr std::array<std::string_view, 4> kAllowed = {"running", "finished", "interrupted", "failed"};
  if (std::find(kAllowed.begin(), kAllowed.end(), status) == kAllowed.end())
    throw Error("status \"" + std::string(status) + "\" is none of running, finished, interrupted, failed");
  thread_->push({Record::status, 0, status.size(), 0, 0}, status.data());
}

void Writer::sync() { thread_->sync(); }
void Writer::close() { thread_->close(); }

Writer Writer::create(const std::filesystem::path& file, const Layout& layout) {
  check_layout(layout);
  if (std::filesystem::exists(std::filesystem::symlink_status(file)))
    throw Error("the results file " + file.string() + " is there already", file.string(),
                "choose another run folder with --out DIR, or go on with `perrin resume RUN`");
  const double now = unix_seconds();
  const Segment first{0, now, 0};
  return Writer(WriterThread::start(file, layout, {&first, 1}, utc(now), [](RunFile&) {}));
}

}  // namespace perrin::store
