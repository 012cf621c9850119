#include "host/life/pictures.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include "host/base/error.hpp"
#include "host/model/fields.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/sample/classes.hpp"
#include "host/sample/generate.hpp"
#include "host/services/spec.hpp"
#include "host/store/png.hpp"

namespace perrin::life {
namespace {

constexpr const char* kSamples = "samples";
constexpr const char* kReconstructions = "reconstructions";

// What is drawn where a stage of this task ends or asks for it; null: nothing.
const char* image_tag(const model::Model& model, const config::Stage& stage) {
  const train::Task task = train::task_of(model, stage);
  if (task == train::Task::first_stage) return kReconstructions;
  return task == train::Task::diffusion && !model.shapes.logits ? kSamples : nullptr;
}

// Samples of the right shape, for the size of their picture.
at::Tensor blank_samples(const model::Model& model, const std::string& tag) {
  const int64_t n = tag == kSamples ? model.experiment.samples.count : sample::reconstruction_cells(model);
  return at::zeros(services::batch_sizes(model.shapes.x, n));
}

sample::Request request_of(model::Model& model) {
  const config::Samples& s = model.experiment.samples;
  sample::Request request;
  request.count = s.count;
  request.batch_size = s.batch_size;
  request.seed = s.seed;
  request.labels = sample::grid_labels(model, s.count, s.columns);
  request.given = sample::grid_conditions(model, s);
  request.bf16 = s.precision == "bf16";
  return request;
}

}  // namespace

std::vector<store::ImageTag> picture_tags(const model::Model& model) {
  std::set<std::string> tags;
  for (const config::Stage& stage : model.experiment.stages)
    if (const char* tag = image_tag(model, stage)) tags.insert(tag);
  std::vector<store::ImageTag> all;
  for (const std::string& tag : tags) {
    const at::Tensor blank = blank_samples(model, tag);
    if (!sample::can_draw(blank)) continue;
    const store::Image picture = sample::picture(blank, model.experiment.samples.columns);
    all.push_back({tag, picture.height, picture.width, picture.channels});
  }
  return all;
}

bool Pictures::draw(const config::Stage& stage, int64_t step) {
  const char* tag = image_tag(model_, stage);
  if (!tag) return true;
  const std::string prefix = tag == kSamples ? "" : "reconstructions-";
  newest_ = folder_.samples() / std::filesystem::path(prefix + runs::checkpoint_name(step)).replace_extension(".png");
  if (drawn_.count({tag, step})) return true;
  return tag == kSamples ? draw_samples(step) : keep(kReconstructions, step, sample::reconstructions(model_));
}

bool Pictures::draw_samples(int64_t step) {
  sample::Request request = request_of(model_);
  request.cancelled = stop_;
  request.progress = [&](int64_t done, int64_t total) { sink_.work({"sampling", "call", done, total}); };
  try {
    return keep(kSamples, step, sample::generate(model_, request));
  } catch (const Error& error) {
    if (error.exit == Exit::interrupted) return newest_.clear(), false;
    throw;
  }
}

bool Pictures::keep(const char* tag, int64_t step, const at::Tensor& samples) {
  if (!sample::can_draw(samples)) return newest_.clear(), true;
  const store::Image image = sample::picture(samples, model_.experiment.samples.columns);
  store::write_png(newest_, image);
  sink_.image(tag, step, image, newest_);
  return true;
}

}  // namespace perrin::life
