#include "host/sample/guided.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include "host/base/error.hpp"
#include "host/model/call.hpp"
#include "host/model/denoise.hpp"
#include "host/sample/checks.hpp"
#include "host/sample/guide_level.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

constexpr uint32_t kOwnBranches = PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL | PERRIN_BRANCH_NEGATIVE;
constexpr uint32_t kOtherModel = PERRIN_BRANCH_GUIDE | PERRIN_BRANCH_CLASSIFIER;

// A box for a prediction, none if it was not asked for.
services::TensorHandle boxed(const std::map<uint32_t, at::Tensor>& D, uint32_t branch) {
  const auto found = D.find(branch);
  return found == D.end() ? nullptr : services::wrap(found->second);
}

}  // namespace

Guided::Guided(model::Model& model, const Conditions& conditions)
    : model_(model), conditions_(conditions), own_(model, conditions) {
  if (model.guide) guide_.emplace(*model.guide, conditions, "guide.");
}

ConditionTensors Guided::conditions() const {
  ConditionTensors all = own_.conditions();
  if (guide_) all.merge(guide_->conditions());
  return all;
}

at::Tensor Guided::D(const at::Tensor& x, const perrin_time& at, const perrin_time& from, const perrin_time& next,
                     bool first) {
  const uint32_t mask = branches(at);
  std::map<uint32_t, at::Tensor> D;
  if (mask & kOwnBranches) D = own_.D(x, at, mask & kOwnBranches);
  if (mask & PERRIN_BRANCH_GUIDE) D[PERRIN_BRANCH_GUIDE] = of_guide(x, at);
  if (mask & PERRIN_BRANCH_CLASSIFIER) D[PERRIN_BRANCH_CLASSIFIER] = gradient(x, at);
  const auto c = boxed(D, PERRIN_BRANCH_CONDITIONAL), u = boxed(D, PERRIN_BRANCH_UNCONDITIONAL),
             n = boxed(D, PERRIN_BRANCH_NEGATIVE), g = boxed(D, PERRIN_BRANCH_GUIDE),
             gradient = boxed(D, PERRIN_BRANCH_CLASSIFIER), x_t = services::wrap(x);
  perrin_tensor* result = nullptr;
  if (model_.guidance.has<&perrin_guidance::guide>()) {
    const perrin_coefficients F = own_.coefficients(at);
    const perrin_guidance_step step = {sizeof step, first,   at,      next,           from,     x_t.get(), c.get(),
                                       u.get(),     n.get(), g.get(), gradient.get(), F.c_skip, F.c_out};
    model_.guidance.invoke<&perrin_guidance::guide>(&step, &result);
  } else {
    model_.guidance.invoke<&perrin_guidance::combine>(&at, c.get(), u.get(), &result);
  }
  return services::take(result);
}

uint32_t Guided::branches(const perrin_time& at) const {
  const auto refuse = [&](const char* what) {
    throw Error(what, "guidance " + model_.guidance.id(), "report it to the plugin's author");
  };
  uint32_t mask = 0;
  model_.guidance.invoke<&perrin_guidance::branches>(&at, &mask);
  if (mask == 0 || (mask & ~(kOwnBranches | kOtherModel)) != 0)
    refuse("the guidance asked for no branch or an unknown one");
  if (mask & (PERRIN_BRANCH_NEGATIVE | kOtherModel) && !model_.guidance.has<&perrin_guidance::guide>())
    refuse("the guidance asked for a branch that only its function guide could take");
  if (mask & PERRIN_BRANCH_NEGATIVE && !model_.guidance.has<&perrin_negative_condition::label>())
    refuse("the guidance asked for the negative branch without perrin.negative-condition/1");
  if (mask & kOtherModel && !guide_) refuse("the guidance asked for the guide's branch without perrin.guide-model/1");
  return mask;
}

at::Tensor Guided::of_guide(const at::Tensor& x, const perrin_time& at) {
  const GuideLevel level = guide_level(*model_.guide, at);
  const at::Tensor seen = level.scale == 1 ? x : x * level.scale;
  return guide_->D(seen, level.at, PERRIN_BRANCH_CONDITIONAL).at(PERRIN_BRANCH_CONDITIONAL);
}

// Through the classifier at its own level of the same log SNR.
at::Tensor Guided::gradient(const at::Tensor& x, const perrin_time& at) const {
  if (conditions_.labels.empty())
    throw Error("the guidance follows a classifier and the samples have no class", "guidance " + model_.guidance.id(),
                "ask for classes, with --class for example");
  model::Model& classifier = *model_.guide;
  const GuideLevel level = guide_level(classifier, at);
  const perrin_coefficients c = classifier.coefficients({level.at}).front();
  const std::vector<uint64_t>& samples = conditions_.samples;
  const perrin_call call = model::evaluation_call(conditions_.seed, samples);
  const at::AutoGradMode differentiated(true);
  const at::Tensor x_t = x.detach().to(at::kFloat).clone().set_requires_grad(true);
  const at::Tensor input = model::channels_last(x_t * (level.scale * c.c_in));
  const at::Tensor logits =
      model::predict(classifier, call, input, std::vector<perrin_coefficients>(samples.size(), c), nullptr);
  const at::Tensor y = at::tensor(conditions_.labels).to(logits.device()).unsqueeze(1);
  at::log_softmax(logits.to(at::kFloat), 1).gather(1, y).sum().backward();  // each sample's own: no batch statistics
  at::Tensor gradient = x_t.grad().contiguous();
  Checked{classifier.denoiser, "the gradient", "the guide's "}.finite(gradient, at);
  return gradient;
}

}  // namespace perrin::sample
