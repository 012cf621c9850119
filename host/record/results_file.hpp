// run.h5 as a sink: rows, images, the summary and the status. A run needs it.
#pragma once

#include "host/record/sink.hpp"
#include "host/store/writer.hpp"

namespace perrin::record {

class ResultsFile final : public Sink {
 public:
  explicit ResultsFile(store::Writer writer) : writer_(std::move(writer)) {}

  bool needed() const override { return true; }
  void row(std::string_view group, int64_t step, double wall_time, std::span<const double> values) override {
    writer_.append(group, step, wall_time, values);
  }
  void image(std::string_view tag, int64_t step, const store::Image& image, const std::filesystem::path&) override {
    writer_.append_image(tag, step, image.pixels);
  }
  void summary(int64_t step, double wall_time, std::span<const double> values) override {
    writer_.append("summary", step, wall_time, values);
  }
  void status(std::string_view status, std::string_view) override { writer_.set_status(status); }
  void sync() override { writer_.sync(); }
  void close() override { writer_.close(); }

 private:
  store::Writer writer_;
};

}  // namespace perrin::record
