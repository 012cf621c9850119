#include <ATen/core/grad_mode.h>
#include <perrin/host/extractor.h>

#include <algorithm>
#include <memory>

#include "host/evaluate/batches.hpp"
#include "host/sample/generate.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::evaluate {
namespace {

// A trained classifier of one field.
class Classifier {
 public:
  Classifier(const model::Model& model, const Judge& judge) {
    perrin_open_extractor* opened = nullptr;
    services::check(services::extractor_table.open({"", 0}, services::text(judge.second), &model.shapes.x, &opened),
                    {"", "judge", "open"});
    open_.reset(opened);
    uint32_t n = 0;
    const perrin_text* names = nullptr;
    const perrin_spec* specs = nullptr;
    services::check(services::extractor_table.layers(open_.get(), &n, &names, &specs), {"", "judge", "layers"});
    for (uint32_t i = 0; i < n; ++i)
      if (services::view(names[i]) == "logits") logits_ = i, found_ = true;
    if (!found_) throw Error("the judge has no layer \"logits\"", judge.second, "name the weights of a classifier");
    for (size_t f = 0; f < model.shapes.fields.size(); ++f) {
      const perrin_field& field = model.shapes.fields[f];
      if (field.n_classes > 0 && services::view(field.spec.name) == judge.first) field_ = f, known_ = true;
    }
    if (!known_)
      throw Error("the dataset has no field with classes \"" + judge.first + "\"", "--judge",
                  "name one that `perrin check` lists");
  }

  // [B] bool: samples [B, ...] in which the class of the batch's field is seen.
  at::Tensor agrees(const at::Tensor& samples, const data::Batch& batch, const perrin_call& call) const {
    const services::TensorHandle x = services::wrap(samples.contiguous(at::MemoryFormat::ChannelsLast));
    perrin_tensor* out = nullptr;
    services::check(services::extractor_table.forward(open_.get(), &call, x.get(), 1, &logits_, &out),
                    {"", "judge", "forward"});
    return services::take_lent(out).argmax(1).cpu().eq(batch.fields[field_].to(at::kLong));
  }

 private:
  struct Close {
    void operator()(perrin_open_extractor* open) const { services::extractor_table.close(open); }
  };
  std::unique_ptr<perrin_open_extractor, Close> open_;
  uint32_t logits_ = 0;
  size_t field_ = 0;
  bool found_ = false, known_ = false;
};

// Samples for the fields of a batch, drawn at its positions.
at::Tensor draw(model::Model& model, const data::Batch& batch, const Request& request) {
  sample::Request wanted;
  wanted.count = static_cast<int64_t>(batch.indices.size());
  wanted.batch_size = wanted.count;
  wanted.seed = model.experiment.samples.seed + batch.indices.front();  // another noise for each batch
  wanted.cancelled = request.cancelled;
  wanted.labels = data::label_values(model, batch);
  const auto label = model::label_field(model.shapes.fields);
  for (size_t f = 0; f < batch.fields.size(); ++f)
    if (f != label) wanted.given.fields[f] = batch.fields[f];
  return sample::generate(model, wanted);
}

}  // namespace

Values agreement(model::Model& model, const Request& request, const std::vector<Judge>& judges) {
  const at::NoGradGuard no_grad;
  std::vector<std::unique_ptr<Classifier>> classifiers;
  for (const Judge& judge : judges) classifiers.push_back(std::make_unique<Classifier>(model, judge));
  std::vector<double> agreed(judges.size());
  double all_agree = 0;
  int64_t n = 0;
  for_each_batch(model, request, [&](const data::Batch& batch, const perrin_call& call) {
    const at::Tensor samples = draw(model, batch, request);
    at::Tensor all;
    for (size_t j = 0; j < classifiers.size(); ++j) {
      const at::Tensor seen = classifiers[j]->agrees(samples, batch, call);
      agreed[j] += seen.sum().item<double>();
      all = all.defined() ? all.logical_and(seen) : seen;
    }
    all_agree += all.sum().item<double>();
    n += samples.size(0);
  });
  Values values;
  for (size_t j = 0; j < judges.size(); ++j)
    values.push_back({"agreement_" + judges[j].first, "",
                      "share of samples in which the judge " + judges[j].second + " sees what was asked for",
                      agreed[j] / static_cast<double>(n), n});
  if (judges.size() > 1)
    values.push_back(
        {"agreement_all", "", "share of samples in which all judges do", all_agree / static_cast<double>(n), n});
  return values;
}

}  // namespace perrin::evaluate
