#include "text_slots.hpp"

namespace text {

using perrin::Key;

std::vector<Key> Slots::keys(std::vector<Key> own) {
  own.push_back(Key::string("output", "\"sequence\"",
                            "what the denoiser is given: sequence, a vector for each token, to attend to; vector, one "
                            "for the text; or both")
                    .choices({"sequence", "vector", "both"}));
  return Source::keys(std::move(own));
}

Slots::Slots(const perrin::Config& config)
    : sequence_(config.string("output") != "vector"), vector_(config.string("output") != "sequence") {}

perrin_conditioning_spec Slots::infer(perrin::Parameters& p, const Source& source, int64_t length, int64_t width) {
  perrin_conditioning_spec spec{};
  spec.struct_size = sizeof spec;
  if (sequence_) {
    spec.slots |= PERRIN_SLOT_SEQUENCE;
    spec.sequence = {perrin::text("sequence"), PERRIN_FLOAT32, 2, {length, width}};
    if (source.null_is_learnt()) null_sequence_.emplace(p, "null.sequence", std::vector<int64_t>{length, width});
  }
  if (vector_) {
    spec.slots |= PERRIN_SLOT_VECTOR;
    spec.vector = {perrin::text("vector"), PERRIN_FLOAT32, 1, {width}};
    if (source.null_is_learnt()) null_vector_.emplace(p, "null.vector", std::vector<int64_t>{width});
  }
  return spec;
}

perrin::Conditioning Slots::fill(const at::Tensor& states, const Rows& rows, const Batch& batch,
                                 const std::function<at::Tensor(const at::Tensor&)>& pool) const {
  const at::Tensor z = weigh(states, rows.weights);
  perrin::Conditioning result;
  if (sequence_) result.sequence = null_sequence_ ? (*null_sequence_)(z, batch.null) : z;
  if (vector_) {
    const at::Tensor pooled = pool(z);
    result.vector = null_vector_ ? (*null_vector_)(pooled, batch.null) : pooled;
  }
  return result;
}

at::Tensor mean_of_real(const at::Tensor& states, const at::Tensor& real) {
  const at::Tensor kept = real.to(states.device(), states.scalar_type()).unsqueeze(-1);  // [B, length, 1]
  return states.mul(kept).sum(1).div(kept.sum(1));
}

}  // namespace text
