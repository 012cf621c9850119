// D of a batch under several conditions, in one call of the network.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/guidance.h>

#include <map>
#include <memory>
#include <vector>

#include "host/model/conditioning.hpp"
#include "host/model/model.hpp"
#include "host/sample/conditions.hpp"

namespace perrin::sample {

// What is asked of the network for one batch.
struct Conditions {
  uint64_t seed = 0;
  std::vector<uint64_t> samples;  // [B] which samples of the request
  std::vector<int64_t> labels;    // [B]; empty: no class
  FieldValues given;              // [B]; with neither: the null condition
  FieldValues negative;           // [B]; of the branch without condition and of PERRIN_BRANCH_NEGATIVE; empty: null
  int64_t negative_label = 0;     // of PERRIN_BRANCH_NEGATIVE
  FieldValues toward;             // [B]; with `way` > 0 the condition lies that far between `given` and this
  std::vector<double> way;        // [B]; empty: none
  ConditionTensors made;          // [B]; what stands in the place of all of the above; empty: nothing does
};

class Predictor {
 public:
  // Both are borrowed. prefix: of the names in `made` that are this model's, "" or "guide.".
  Predictor(model::Model& model, const Conditions& conditions, std::string prefix = "")
      : model_(model),
        conditions_(conditions),
        prefix_(std::move(prefix)),
        owner_(prefix_.empty() ? "" : "the guide's ") {}

  // D(x) at a noise level, one [B, ...] float32 for each of PERRIN_BRANCH_CONDITIONAL, UNCONDITIONAL, NEGATIVE that is
  // in `mask`, by branch. Without conditioner all of them are one prediction. x: [B, ...]
  std::map<uint32_t, at::Tensor> D(const at::Tensor& x, const perrin_time& at, uint32_t mask);

  // What the calls of D were conditioned on so far, under its names; none without conditioner.
  ConditionTensors conditions() const;
  // The parameterization's, finite.
  perrin_coefficients coefficients(const perrin_time& at) const;

  // The learnt variance v [B, ...] of the first branch of the latest D; undefined if the denoiser predicts none.
  const at::Tensor& variance() const { return variance_; }

 private:
  perrin_call call_for(size_t branches);
  at::Tensor F(const at::Tensor& input, const perrin_coefficients& c, const std::vector<uint32_t>& branches);
  model::FieldsOf told(const std::vector<uint32_t>& branches, const FieldValues& given) const;
  std::vector<uint8_t> dropped(const std::vector<uint32_t>& branches) const;
  std::unique_ptr<model::ConditioningHandles> made(const std::vector<uint32_t>& branches) const;
  const perrin_conditioning* conditioning(const perrin_call& call, const std::vector<uint32_t>& branches);

  model::Model& model_;
  const Conditions& conditions_;
  const std::string prefix_;
  const char* const owner_;  // in errors
  std::vector<uint64_t> positions_;
  std::map<std::vector<uint32_t>, std::unique_ptr<model::ConditioningHandles>> encoded_;
  at::Tensor variance_;
};

}  // namespace perrin::sample
