#include "host/sample/predictor.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <array>

#include "host/kernels/tensors.hpp"

namespace perrin::sample {
namespace {

std::vector<uint32_t> branches_of(uint32_t mask) {
  std::vector<uint32_t> branches;
  for (uint32_t branch : {PERRIN_BRANCH_CONDITIONAL, PERRIN_BRANCH_UNCONDITIONAL, PERRIN_BRANCH_NEGATIVE})
    if (mask & branch) branches.push_back(branch);
  return branches;
}

at::Tensor plain(const at::Tensor& x) { return x.to(at::kFloat).contiguous(); }

}  // namespace

std::map<uint32_t, at::Tensor> Predictor::D(const at::Tensor& x, const perrin_time& at, uint32_t mask) {
  const std::vector<uint32_t> asked = branches_of(mask);
  const size_t evaluated = model_.conditioner ? asked.size() : 1;
  const auto n = static_cast<int64_t>(conditions_.samples.size());
  const perrin_coefficients c = model_.coefficients({at}).front();
  at::Tensor input = c.c_in == 1 ? x : x * c.c_in;
  if (evaluated > 1) input = at::cat(std::vector<at::Tensor>(evaluated, input));
  if (input.dim() == 4) input = input.contiguous(at::MemoryFormat::ChannelsLast);
  const perrin_call call = call_for(evaluated);
  at::Tensor F = run::predict(model_, call, input, std::vector<perrin_coefficients>(positions_.size(), c),
                              conditioning(call, asked));
  if (model_.shapes.learnt_variance) {
    const int64_t channels = model_.shapes.z.sizes[0];
    variance_ = plain(F.narrow(0, 0, n).narrow(1, channels, channels));
    F = F.narrow(1, 0, channels);
  }
  std::map<uint32_t, at::Tensor> D;
  for (size_t b = 0; b < asked.size(); ++b) {
    const at::Tensor terms[] = {plain(x), plain(F.narrow(0, b < evaluated ? static_cast<int64_t>(b) * n : 0, n))};
    D[asked[b]] = b < evaluated ? kernels::lincomb(terms, std::array{c.c_skip, c.c_out}) : D[asked[0]];
  }
  return D;
}

// The batch is the conditions' samples, `branches` times over.
perrin_call Predictor::call_for(size_t branches) {
  positions_.clear();
  for (size_t b = 0; b < branches; ++b)
    positions_.insert(positions_.end(), conditions_.samples.begin(), conditions_.samples.end());
  return {sizeof(perrin_call), 0, conditions_.seed, 0, static_cast<uint32_t>(positions_.size()), positions_.data()};
}

// Encoded once for each set of branches, then reused at every step.
const perrin_conditioning* Predictor::conditioning(const perrin_call& call, const std::vector<uint32_t>& branches) {
  if (!model_.conditioner) return nullptr;
  auto& slot = encoded_[branches];
  if (slot) return slot->get();
  std::vector<int64_t> labels;
  std::vector<uint8_t> drop;
  for (uint32_t branch : branches) {
    const bool null =
        branch == PERRIN_BRANCH_UNCONDITIONAL || (branch == PERRIN_BRANCH_CONDITIONAL && conditions_.labels.empty());
    for (size_t i = 0; i < conditions_.samples.size(); ++i) {
      const int64_t own = conditions_.labels.empty() ? 0 : conditions_.labels[i];
      labels.push_back(branch == PERRIN_BRANCH_NEGATIVE ? conditions_.negative : own);
      drop.push_back(null);
    }
  }
  // Only label fields can be made from a request; the conditioner says which one it misses.
  std::vector<at::Tensor> fields;
  for (const perrin_field& field : model_.shapes.fields)
    fields.push_back(field.n_classes > 0 ? at::tensor(labels) : at::Tensor());
  slot = std::make_unique<run::ConditioningHandles>(model_, call, fields, drop.data());
  return slot->get();
}

}  // namespace perrin::sample
