#include "host/sample/generate.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <perrin/kind/dataset.h>
#include <perrin/kind/encoder.h>
#include <perrin/kind/guidance.h>
#include <perrin/kind/sampler.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "host/base/error.hpp"
#include "host/data/samples.hpp"
#include "host/model/autocast.hpp"
#include "host/model/fields.hpp"
#include "host/model/first_stage.hpp"
#include "host/model/latent.hpp"
#include "host/sample/checks.hpp"
#include "host/sample/steps.hpp"
#include "host/sample/trajectory.hpp"
#include "host/services/finite.hpp"
#include "host/services/spec.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

uint32_t flags(const model::Model& model) { return model.sampler.table<perrin_sampler>().flags; }

// In the sampler's order, which for one that inverts is from the clean end on.
std::vector<perrin_time> levels(const model::Model& model, const Request& request) {
  const auto& sampling = model.experiment.sampling;
  std::vector<perrin_time> times = sampling_times(model.times, sampling);
  if (request.init.defined()) {
    const auto steps = static_cast<double>(times.size() - 1);
    // Rounded down, as diffusers' image-to-image pipelines do.
    times.erase(times.begin(), times.end() - 1 - std::max<int64_t>(1, static_cast<int64_t>(steps * request.strength)));
  }
  if (inverts(model)) std::reverse(times.begin(), times.end());
  return times;
}

std::string inversion_hint(const model::Model& model) {
  return "name it in `perrin sample RUN --sampler " + model.sampler.id() + "`, and another one in the experiment";
}

void check_start(const model::Model& model, const Request& request) {
  if (!request.start.defined()) {
    if (!inverts(model)) return;
    throw Error("the sampler goes from data to noise and was given no data", "sampler \"" + model.sampler.id() + "\"",
                inversion_hint(model));
  }
  const std::vector<int64_t> sizes = services::batch_sizes(model.shapes.z, request.count);
  if (request.start.sizes() != sizes)
    throw Error(c10::str("sampling was to start at ", request.start.sizes(), ", but diffusion runs in ",
                         at::IntArrayRef(sizes)));
}

// Given conditions have every slot of every branch that the guidance asks for, so that nothing is missed half-way.
void check_conditions(model::Model& model, const Request& request, const std::vector<perrin_time>& times) {
  if (request.conditions.empty()) return;
  uint32_t mask = 0;
  for (const perrin_time& at : times) {
    uint32_t asked = 0;
    model.guidance.invoke<&perrin_guidance::branches>(&at, &asked);
    mask |= asked;
  }
  for (const auto& [branch, name] : {std::pair(PERRIN_BRANCH_CONDITIONAL, "conditional."),
                                     std::pair(PERRIN_BRANCH_UNCONDITIONAL, "unconditional."),
                                     std::pair(PERRIN_BRANCH_NEGATIVE, "negative.")})
    for (const auto& [slot, of] : {std::pair(PERRIN_SLOT_VECTOR, "vector"), std::pair(PERRIN_SLOT_SEQUENCE, "sequence"),
                                   std::pair(PERRIN_SLOT_CONCAT, "concat")})
      if ((mask & branch) && (model.shapes.conditioning->slots & slot) && !request.conditions.contains(name + std::string(of)))
        throw Error("the guidance \"" + model.guidance.id() + "\" asks for the conditions \"" + name + of +
                        "\", which are not given",
                    "", "keep them with --save-conditions under this guidance");
}

// Collects batch by batch.
class Keeper {
 public:
  void add(const Trajectory& trajectory, const at::Tensor& z) {
    starts_.push_back(trajectory.start());
    ends_.push_back(z.to(at::kCPU, at::kFloat).contiguous());
    conditions_.push_back(trajectory.conditions());
  }

  Kept all(bool inverts) const {
    Kept kept{at::cat(inverts ? ends_ : starts_), at::cat(inverts ? starts_ : ends_), {}};
    std::set<std::string> names;
    for (const ConditionTensors& batch : conditions_)
      for (const auto& [name, tensor] : batch) names.insert(name);
    for (const std::string& name : names) {
      std::vector<at::Tensor> parts;
      for (const ConditionTensors& batch : conditions_) {
        const auto found = batch.find(name);  // where it came out like the plain one, that stands for it
        parts.push_back(found != batch.end() ? found->second : batch.at(name.substr(0, name.find('/'))));
      }
      kept.conditions[name] = at::cat(parts);
    }
    return kept;
  }

 private:
  std::vector<at::Tensor> starts_, ends_;
  std::vector<ConditionTensors> conditions_;
};

// They come from files.
void check_finite(const at::Tensor& given, const std::string& what) {
  if (given.defined() && !services::all_finite(given))
    throw Error(what + " is not finite: " + services::count_not_finite(given), "", "give another file");
}

}  // namespace

bool inverts(const model::Model& model) { return (flags(model) & PERRIN_SAMPLER_INVERTS) != 0; }

void check_generates(model::Model& model, const config::Loaded& loaded) {
  if (model.shapes.logits || !model.diffuses()) return;
  if (inverts(model)) {
    throw loaded.error(
        model.experiment.sampler.location,
        "the sampler \"" + model.sampler.id() + "\" goes from data to noise and makes no samples of a run",
        inversion_hint(model));
  }
  check_prompts(model, loaded);
  if (model.conditioners.empty() || !model.guidance.has<&perrin_negative_condition::label>()) return;
  int64_t label = 0;
  model.guidance.invoke<&perrin_negative_condition::label>(&label);
  const auto classes = static_cast<int64_t>(model::class_count(model.shapes.fields));
  if (classes > 0 && (label < 0 || label >= classes)) {
    throw loaded.error(
        model.experiment.guidance.location,
        "the guidance keeps away from class " + std::to_string(label) + ", which the dataset does not have",
        "give 0 to " + std::to_string(classes - 1));
  }
}

at::Tensor generate(model::Model& model, const Request& request) {
  if (model.shapes.logits)
    throw Error("the denoiser \"" + model.denoiser.id() + "\" is a classifier and makes no samples", "",
                "name this run in another's [guidance] use = \"classifier\"");
  const at::NoGradGuard no_grad;
  const model::Autocast autocast(model.session->device(), request.bf16);
  check_start(model, request);
  check_finite(request.start, "what sampling was to start at");
  check_finite(request.init, "the image that sampling was to start near");
  check_finite(request.mask, "the mask");
  for (const auto& [name, tensor] : request.conditions) check_finite(tensor, "the condition \"" + name + "\"");
  const std::vector<perrin_time> times = levels(model, request);
  const auto steps = static_cast<int64_t>(times.size()) - 1;
  // One sample a call for an adaptive sampler: its steps follow from x.
  const int64_t size = flags(model) & PERRIN_SAMPLER_ADAPTIVE ? 1 : request.batch_size;
  const int64_t batches = (request.count + size - 1) / size;
  // A sampler of higher order calls more often than once per step; then the total grows with it.
  int64_t calls = 0;
  const auto called = [&] {
    ++calls;
    if (request.progress) request.progress(calls, std::max(calls, batches * steps));
  };
  check_conditions(model, request, times);
  std::vector<at::Tensor> parts;
  Keeper keeper;
  for (int64_t first = 0; first < request.count; first += size) {
    Trajectory trajectory(model, request, first, std::min(size, request.count - first), called);
    const at::Tensor z = trajectory.run(times);
    if (request.kept) keeper.add(trajectory, z);
    parts.push_back(inverts(model) ? z.to(at::kCPU, at::kFloat).contiguous() : trajectory.decode(z));
  }
  if (request.kept) *request.kept = keeper.all(inverts(model));
  return at::cat(parts);
}

Data first_samples(model::Model& model, int64_t count, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  const auto available = static_cast<int64_t>(model::dataset_count(model.data()));
  if (count > available)
    throw Error("the dataset has " + std::to_string(available) + " samples, not " + std::to_string(count),
                "samples.count", "lower it with --count");
  Data data;
  std::vector<at::Tensor> parts;
  const auto take = [&](const data::Batch& batch, const perrin_call& call) {
    const at::Tensor z = model::encode_latent(model, call, data::images(model, batch));
    parts.push_back(z.to(at::kCPU));
    if (model.conditioners.empty()) return;
    const std::vector<int64_t> labels = data::label_values(model, batch);
    data.labels.insert(data.labels.end(), labels.begin(), labels.end());
  };
  data::for_each_samples(model, static_cast<uint64_t>(count), batch_size, take);
  data.z = at::cat(parts);
  return data;
}

int64_t reconstruction_cells(const model::Model& model) {
  const config::Samples& s = model.experiment.samples;
  return 2 * s.columns * std::max<int64_t>(1, s.count / (2 * s.columns));
}

at::Tensor reconstructions(model::Model& model) {
  const int64_t columns = model.experiment.samples.columns, cells = reconstruction_cells(model);
  std::vector<at::Tensor> rows;
  for (int64_t first = 0; first < cells / 2; first += columns) {
    const data::Batch batch = data::read_samples(model, static_cast<uint64_t>(first), columns);
    const perrin_call call = model::evaluation_call(model.experiment.samples.seed, batch.indices);
    const at::Tensor x = data::images(model, batch);
    rows.push_back(x.to(at::kCPU));
    const at::Tensor z = model::encode(model, call, x);
    rows.push_back(model::decode(model, call, z).to(at::kCPU, at::kFloat).contiguous());
  }
  return at::cat(rows);
}

}  // namespace perrin::sample
