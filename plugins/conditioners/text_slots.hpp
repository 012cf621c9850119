// From a text model's last hidden states to the slots of a condition: the key `output`, the weights of a prompt's parts
// and the null condition.
#pragma once

#include "token_rows.hpp"

namespace text {

class Slots {
 public:
  // The key `output` and those of Source behind a component's own.
  static std::vector<perrin::Key> keys(std::vector<perrin::Key> own);
  explicit Slots(const perrin::Config& config);

  bool has_vector() const { return vector_; }
  // Declares the null condition where it is learnt.
  perrin_conditioning_spec infer(perrin::Parameters& p, const Source& source, int64_t length, int64_t width);
  // states: [B, length, width]. `pool`: [B, length, width] -> [B, width], asked where a vector is wanted.
  perrin::Conditioning fill(const at::Tensor& states, const Rows& rows, const Batch& batch,
                            const std::function<at::Tensor(const at::Tensor&)>& pool) const;

 private:
  bool sequence_, vector_;
  std::optional<LearntNull> null_sequence_, null_vector_;
};

// The mean of the states where `real` is true: [B, length, width], [B, length] -> [B, width].
at::Tensor mean_of_real(const at::Tensor& states, const at::Tensor& real);

}  // namespace text
