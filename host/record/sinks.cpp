#include "host/record/sinks.hpp"

#include <string>

#include "host/base/error.hpp"

namespace perrin::record {

// All are told, whichever fails; the failure of a needed one is thrown at the end.
template <class Tell>
void Sinks::each(const Tell& tell) {
  const std::lock_guard held(mutex_);
  std::exception_ptr fatal;
  std::string lost;
  for (auto sink = sinks_.begin(); sink != sinks_.end();) try {
      tell(**sink);
      ++sink;
    } catch (const Error& error) {
      if ((*sink)->needed()) {
        fatal = fatal ? fatal : std::current_exception();
        ++sink;
        continue;
      }
      lost += std::string("warning: ") + error.what() + "; the run goes on without it\n";
      sink = sinks_.erase(sink);
    }
  if (!lost.empty()) text(lost.substr(0, lost.size() - 1));
  if (fatal) std::rethrow_exception(fatal);
}

void Sinks::row(std::string_view group, int64_t step, double wall_time, std::span<const double> values) {
  each([&](Sink& sink) { sink.row(group, step, wall_time, values); });
}

void Sinks::image(std::string_view tag, int64_t step, const store::Image& image, const std::filesystem::path& file) {
  each([&](Sink& sink) { sink.image(tag, step, image, file); });
}

void Sinks::text(std::string_view line) {
  each([&](Sink& sink) { sink.text(line); });
}

void Sinks::file(const std::filesystem::path& path) {
  each([&](Sink& sink) { sink.file(path); });
}

void Sinks::work(const Work& work) {
  each([&](Sink& sink) { sink.work(work); });
}

void Sinks::summary(int64_t step, double wall_time, std::span<const double> values) {
  each([&](Sink& sink) { sink.summary(step, wall_time, values); });
}

void Sinks::status(std::string_view status, std::string_view why) {
  each([&](Sink& sink) { sink.status(status, why); });
}

void Sinks::sync() {
  each([](Sink& sink) { sink.sync(); });
}

void Sinks::close() {
  each([](Sink& sink) { sink.close(); });
}

}  // namespace perrin::record
