#include "host/sample/predictor.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/tensors.hpp"
#include "host/model/call.hpp"
#include "host/model/denoise.hpp"
#include "host/model/fields.hpp"
#include "host/sample/checks.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

std::vector<uint32_t> branches_of(uint32_t mask) {
  std::vector<uint32_t> branches;
  for (uint32_t branch : {PERRIN_BRANCH_CONDITIONAL, PERRIN_BRANCH_UNCONDITIONAL, PERRIN_BRANCH_NEGATIVE})
    if (mask & branch) branches.push_back(branch);
  return branches;
}

const char* branch_name(uint32_t branch) {
  return branch == PERRIN_BRANCH_CONDITIONAL ? "conditional" : branch == PERRIN_BRANCH_NEGATIVE ? "negative" : "unconditional";
}

std::string set_name(const std::vector<uint32_t>& branches) {
  std::string name;
  for (const uint32_t branch : branches) name += (name.empty() ? "" : "+") + std::string(branch_name(branch));
  return name;
}

// Texts of different lengths, with zeros behind the shorter ones.
at::Tensor padded(const at::Tensor& x, int64_t length, double with) {
  return x.dim() == 2 && x.size(1) < length ? at::constant_pad_nd(x, {0, length - x.size(1)}, with) : x;
}

at::Tensor joined(const std::vector<at::Tensor>& parts, double padding) {
  int64_t longest = 0;
  for (const at::Tensor& part : parts) longest = std::max(longest, part.dim() == 2 ? part.size(1) : 0);
  std::vector<at::Tensor> same;
  for (const at::Tensor& part : parts) same.push_back(padded(part, longest, padding));
  return at::cat(same);
}

// Field f of the branches one after another; a branch without it takes the first branch's. Undefined if none has it.
at::Tensor stacked(const std::vector<const FieldValues*>& told, size_t f) {
  at::Tensor any;
  for (const FieldValues* values : told)
    if (const auto found = values->fields.find(f); !any.defined() && found != values->fields.end()) any = found->second;
  if (!any.defined()) return {};
  std::vector<at::Tensor> parts;
  for (const FieldValues* values : told) {
    const auto found = values->fields.find(f);
    parts.push_back(found == values->fields.end() ? any : found->second);
  }
  return joined(parts, 0);
}

// What stands beside fields, 1 where a branch has none. The rows of a text's weights are as long as its own.
std::vector<std::pair<std::string, at::Tensor>> stacked_extra(const std::vector<const FieldValues*>& told) {
  std::map<std::string, at::Tensor> names;
  for (const FieldValues* values : told) names.insert(values->extra.begin(), values->extra.end());
  std::vector<std::pair<std::string, at::Tensor>> all;
  for (const auto& [name, like] : names) {
    std::vector<at::Tensor> parts;
    for (const FieldValues* values : told) {
      const auto found = values->extra.find(name);
      parts.push_back(found == values->extra.end() ? at::ones_like(like) : found->second);
    }
    all.emplace_back(name, joined(parts, 1));
  }
  return all;
}

at::Tensor plain(const at::Tensor& x) { return x.to(at::kFloat).contiguous(); }

}  // namespace

std::map<uint32_t, at::Tensor> Predictor::D(const at::Tensor& x, const perrin_time& at, uint32_t mask) {
  const std::vector<uint32_t> asked = branches_of(mask);
  const size_t evaluated = model_.conditioners.empty() ? 1 : asked.size();
  const auto n = static_cast<int64_t>(conditions_.samples.size());
  const perrin_coefficients c = coefficients(at);
  at::Tensor input = c.c_in == 1 ? x : x * c.c_in;
  if (evaluated > 1) input = at::cat(std::vector<at::Tensor>(evaluated, input));
  at::Tensor F = this->F(model::channels_last(input), c, {asked.begin(), asked.begin() + evaluated});
  if (model_.shapes.learnt_variance) {
    const int64_t channels = model_.shapes.z.sizes[0];
    variance_ = plain(F.narrow(0, 0, n).narrow(1, channels, channels));
    F = F.narrow(1, 0, channels);
  }
  std::map<uint32_t, at::Tensor> D;
  for (size_t b = 0; b < asked.size(); ++b) {
    const at::Tensor terms[] = {plain(x), plain(F.narrow(0, b < evaluated ? static_cast<int64_t>(b) * n : 0, n))};
    D[asked[b]] = b < evaluated ? kernels::lincomb(terms, std::array{c.c_skip, c.c_out}) : D[asked[0]];
    Checked{model_.parameterization, "the denoised prediction", owner_}.finite(D[asked[b]], at);
  }
  return D;
}

perrin_coefficients Predictor::coefficients(const perrin_time& at) const {
  const perrin_coefficients c = model_.coefficients({at}).front();
  for (const double value : {c.c_in, c.c_noise, c.c_skip, c.c_out})
    if (!std::isfinite(value))
      Checked{model_.parameterization, "a coefficient", owner_}.refuse(c10::str("is ", value, " at t = ", at.t));
  return c;
}

// The network's output, one batch of samples for each branch.
at::Tensor Predictor::F(const at::Tensor& input, const perrin_coefficients& c, const std::vector<uint32_t>& branches) {
  const perrin_call call = call_for(branches.size());
  const perrin_conditioning* told = conditioning(call, branches);
  return model::predict(model_, call, input, std::vector<perrin_coefficients>(positions_.size(), c), told);
}

// The batch is the conditions' samples, `branches` times over.
perrin_call Predictor::call_for(size_t branches) {
  positions_.clear();
  for (size_t b = 0; b < branches; ++b)
    positions_.insert(positions_.end(), conditions_.samples.begin(), conditions_.samples.end());
  return model::evaluation_call(conditions_.seed, positions_);
}

// What the branches are told, one after another.
model::FieldsOf Predictor::told(const std::vector<uint32_t>& branches, const FieldValues& given) const {
  std::vector<int64_t> labels;
  std::vector<const FieldValues*> values;
  for (uint32_t branch : branches) {
    const bool away = branch != PERRIN_BRANCH_CONDITIONAL && !conditions_.negative.empty();
    values.push_back(away ? &conditions_.negative : &given);
    for (size_t i = 0; i < conditions_.samples.size(); ++i) {
      const int64_t own = conditions_.labels.empty() ? 0 : conditions_.labels[i];
      labels.push_back(branch == PERRIN_BRANCH_NEGATIVE ? conditions_.negative_label : own);
    }
  }
  // The conditioner says which field it misses.
  model::FieldsOf fields;
  const auto label = model::label_field(model_.shapes.fields);
  for (size_t f = 0; f < model_.shapes.fields.size(); ++f)
    fields.fields.push_back(f == label ? at::tensor(labels) : stacked(values, f));
  fields.extra = stacked_extra(values);
  return fields;
}

// Where the null condition stands.
std::vector<uint8_t> Predictor::dropped(const std::vector<uint32_t>& branches) const {
  const bool nothing = conditions_.labels.empty() && conditions_.given.empty();
  std::vector<uint8_t> drop;
  for (uint32_t branch : branches) {
    const bool null = branch == PERRIN_BRANCH_CONDITIONAL
                          ? nothing
                          : branch == PERRIN_BRANCH_UNCONDITIONAL && conditions_.negative.empty();
    drop.insert(drop.end(), conditions_.samples.size(), null);
  }
  return drop;
}

// The given conditions of these branches, one after another; null where none of this model are given.
std::unique_ptr<model::ConditioningHandles> Predictor::made(const std::vector<uint32_t>& branches) const {
  const auto own = [&](const auto& item) { return item.first.starts_with(prefix_ + "conditional."); };
  if (std::ranges::none_of(conditions_.made, own)) return nullptr;
  const auto slot = [&](const char* name) {
    std::vector<at::Tensor> parts;
    for (const uint32_t branch : branches) {
      const std::string key = prefix_ + branch_name(branch) + "." + name;
      auto found = conditions_.made.find(key + "/" + set_name(branches));
      if (found == conditions_.made.end()) found = conditions_.made.find(key);
      if (found != conditions_.made.end()) parts.push_back(found->second);
    }
    if (!parts.empty() && parts.size() < branches.size())
      throw Error(std::string("the given conditions lack the slot \"") + name + "\" of a branch that the guidance asks for",
                  set_name(branches), "keep them with --save-conditions under the same guidance");
    return parts.empty() ? at::Tensor() : at::cat(parts);
  };
  return std::make_unique<model::ConditioningHandles>(model_, slot("vector"), slot("sequence"), slot("concat"));
}

ConditionTensors Predictor::conditions() const {
  ConditionTensors all;
  for (const auto& [branches, handles] : encoded_) {
    const perrin_conditioning& c = *handles->get();
    const auto keep = [&](const char* name, const perrin_tensor* held) {
      if (!held) return;
      const at::Tensor whole = services::unwrap(held).to(at::kCPU);
      const auto n = static_cast<int64_t>(conditions_.samples.size());
      for (size_t b = 0; b < branches.size(); ++b) {
        const std::string key = prefix_ + branch_name(branches[b]) + "." + name;
        const at::Tensor part = whole.narrow(0, static_cast<int64_t>(b) * n, n).contiguous();
        const auto [first, is_new] = all.emplace(key, part);
        if (!is_new && !first->second.equal(part)) all.emplace(key + "/" + set_name(branches), part);
      }
    };
    keep("vector", c.vector);
    keep("sequence", c.sequence);
    keep("concat", c.concat);
  }
  return all;
}

// Encoded once for each set of branches, then reused at every step.
const perrin_conditioning* Predictor::conditioning(const perrin_call& call, const std::vector<uint32_t>& branches) {
  if (model_.conditioners.empty()) return nullptr;
  auto& slot = encoded_[branches];
  if (!slot) slot = made(branches);
  if (slot) return slot->get();
  const model::Drops drops(model_.conditioners.size(), dropped(branches));
  slot = std::make_unique<model::ConditioningHandles>(model_, call, told(branches, conditions_.given), drops);
  if (conditions_.toward.empty()) return slot->get();
  const model::ConditioningHandles other(model_, call, told(branches, conditions_.toward), drops);
  std::vector<double> way;
  for (size_t b = 0; b < branches.size(); ++b) way.insert(way.end(), conditions_.way.begin(), conditions_.way.end());
  slot->mix(other, way);
  return slot->get();
}

}  // namespace perrin::sample
