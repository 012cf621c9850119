#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <map>

#include "host/evaluate/batches.hpp"
#include "host/model/extract.hpp"
#include "host/model/fields.hpp"
#include "host/services/tensor.hpp"
#include "metrics/retrieval.hpp"

namespace perrin::evaluate {
namespace {

bool has_layer(const model::Model& model, const std::string& name) {
  return std::ranges::count(model.shapes.layers, name) > 0;
}

// Does a loss of any stage take this input?
bool trained(const train::Losses& losses, const std::string& name) {
  for (const auto& stage : losses.stages)
    for (const train::LossTerm& term : stage)
      if (train::takes(term.component, name)) return true;
  return false;
}

Values classification(model::Model& model, const Request& request) {
  std::vector<at::Tensor> scores, labels;
  for_each_batch(model, request, [&](const data::Batch& batch, const perrin_call& call) {
    scores.push_back(model::extract(model, call, data::images(model, batch), {"logits"})[0].cpu());
    labels.push_back(data::label_of(model, batch).cpu());
  });
  const at::Tensor all = at::cat(labels);
  return {{"top1", "", "share of samples whose class is the first answer", metrics::top1(at::cat(scores), all),
           all.numel()}};
}

// The embeddings of images and of their captions, and which class each has.
struct Embedded {
  at::Tensor images, texts;  // [N, W], [distinct captions, W]
  at::Tensor image_labels, text_labels;
};

Embedded embed(model::Model& model, const Request& request) {
  std::vector<at::Tensor> images, labels;
  std::map<std::pair<int64_t, std::string>, at::Tensor> captions;  // by class and condition's bytes
  for_each_batch(model, request, [&](const data::Batch& batch, const perrin_call& call) {
    images.push_back(model::extract(model, call, data::images(model, batch), {"embedding"})[0].cpu());
    labels.push_back(data::label_of(model, batch).cpu());
    const model::ConditioningHandles conditioning(model, call, {batch.fields, {}}, {});
    const at::Tensor vectors = services::unwrap(conditioning.get()->vector).to(at::kCPU, at::kFloat).contiguous();
    for (int64_t b = 0; b < vectors.size(0); ++b) {
      const at::Tensor row = vectors[b];
      const std::string bytes(static_cast<const char*>(row.const_data_ptr()), row.nbytes());
      captions.try_emplace({labels.back()[b].item<int64_t>(), bytes}, row);
    }
  });
  std::vector<at::Tensor> texts;
  std::vector<int64_t> kinds;
  for (const auto& [key, row] : captions) texts.push_back(row), kinds.push_back(key.first);
  return {at::cat(images), at::stack(texts), at::cat(labels), at::tensor(kinds)};
}

// A class is the mean direction of its captions. [K, W]
at::Tensor class_embeddings(const Embedded& e) {
  const int64_t classes = e.image_labels.max().item<int64_t>() + 1;
  std::vector<at::Tensor> rows;
  for (int64_t k = 0; k < classes; ++k) {
    const at::Tensor own = metrics::unit_rows(e.texts).index({e.text_labels.eq(k)});
    rows.push_back(own.mean(0));
  }
  return metrics::unit_rows(at::stack(rows).nan_to_num());
}

Values clip(model::Model& model, const Request& request) {
  const Embedded e = embed(model, request);
  const int64_t n = e.images.size(0), queries = e.texts.size(0);
  const at::Tensor scores = metrics::unit_rows(e.images).matmul(class_embeddings(e).t());
  Values values = {{"zero_shot_top1", "", "2103.00020 Sec. 3.1.4", metrics::top1(scores, e.image_labels), n}};
  for (const int64_t k : {1, 5, 10})
    values.push_back({"text_to_image_recall@" + std::to_string(k), "",
                      "share of captions with one of their images among so many",
                      metrics::recall_at(k, e.texts, e.images, e.text_labels, e.image_labels), queries});
  return values;
}

}  // namespace

Values extraction(model::Model& model, const train::Losses& losses, const Request& request) {
  const at::NoGradGuard no_grad;
  Values values;
  if (has_layer(model, "logits") && trained(losses, "logits")) values = classification(model, request);
  if (has_layer(model, "embedding") && trained(losses, "condition")) {
    const Values more = clip(model, request);
    values.insert(values.end(), more.begin(), more.end());
  }
  if (values.empty())
    throw Error("no loss of the run trains classes or an embedding: there is nothing to evaluate", model.extractor.id(),
                "train with cross-entropy, or with contrastive and a conditioner");
  return values;
}

}  // namespace perrin::evaluate
