// What the conditioners tell the denoiser about a batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "host/model/model.hpp"
#include "host/services/tensor.hpp"

namespace perrin::model {

// One row per conditioner: [B], not 0 where the null condition stands. Empty: nowhere.
using Drops = std::vector<std::vector<uint8_t>>;

// A condition for each of the batch's fields, in the order of Shapes::fields; undefined where there is none. `extra`:
// further fields by name, such as the weights of a prompt's bytes.
struct FieldsOf {
  std::vector<at::Tensor> fields;
  std::vector<std::pair<std::string, at::Tensor>> extra;
};

// The slots of all conditioners together: vectors beside each other, sequences behind each other, concats as further
// channels.
class ConditioningHandles {
 public:
  ConditioningHandles(Model& model, const perrin_call& call, const FieldsOf& fields, const Drops& drops);
  // Tensors that were made before, [B, ...]; undefined for the slots that there are not.
  ConditioningHandles(const Model& model, const at::Tensor& vector, const at::Tensor& sequence,
                      const at::Tensor& concat);
  ConditioningHandles(const ConditioningHandles&) = delete;
  const perrin_conditioning* get() const { return present_ ? &conditioning_ : nullptr; }

  // Moves row b by way[b] towards the other's, slot by slot.
  void mix(const ConditioningHandles& other, const std::vector<double>& way);

 private:
  bool present_ = false;
  services::TensorHandle vector_, sequence_, concat_;
  perrin_conditioning conditioning_{};  // these
};

}  // namespace perrin::model
