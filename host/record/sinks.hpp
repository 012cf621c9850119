// Many sinks as one.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "host/record/sink.hpp"

namespace perrin::record {

class Sinks final : public Sink {
 public:
  explicit Sinks(std::vector<std::shared_ptr<Sink>> sinks) : sinks_(std::move(sinks)) {}

  bool needed() const override { return true; }
  void row(std::string_view group, int64_t step, double wall_time, std::span<const double> values) override;
  void image(std::string_view tag, int64_t step, const store::Image& image, const std::filesystem::path& file) override;
  void text(std::string_view line) override;
  void file(const std::filesystem::path& path) override;
  void work(const Work& work) override;
  void summary(int64_t step, double wall_time, std::span<const double> values) override;
  void status(std::string_view status, std::string_view why) override;
  void sync() override;
  void close() override;

 private:
  template <class Tell>
  void each(const Tell& tell);

  std::recursive_mutex mutex_;
  std::vector<std::shared_ptr<Sink>> sinks_;
};

}  // namespace perrin::record
