// Parameters in safetensors files: what checkpoints and snapshots share.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/host/params.h>

#include <filesystem>
#include <string>
#include <vector>

#include "host/model/parameters.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::model {

// A view of a contiguous CPU tensor, which must outlive it. Throws Error for a dtype that files do not hold.
store::TensorView tensor_view(std::string name, const std::vector<int64_t>& shape, const at::Tensor& contiguous);

// A verified file whose metadata say this schema. Throws Error that calls it `what` ("a checkpoint") otherwise.
store::SafeTensors open_tensor_file(const std::filesystem::path& file, const std::string& schema,
                                    const std::string& what);

// Tensor `name` of the file, which must have these sizes and the target's dtype. The view lives as long as the file.
// Throws Error that names the tensor and both shapes.
at::Tensor held_tensor(const store::SafeTensors& from, const std::string& name, const std::vector<int64_t>& sizes,
                       at::ScalarType dtype, const std::filesystem::path& file);

// A whole number of the metadata. Throws Error without it.
int64_t held_number(const store::Metadata& metadata, const std::string& key, const std::filesystem::path& file);

// The part of a flat tensor that is p's. [p.count]
inline at::Tensor piece_of(const at::Tensor& flat, const Parameter& p) { return flat.narrow(0, p.offset, p.count); }

// Sets one parameter or buffer.
void fill(ParameterSet& parameters, const Parameter& p, const at::Tensor& value);

// Every parameter and buffer that files hold: not what is tied, nor scratch.
template <class F>
void for_each_saved(const ParameterSet& parameters, F&& f) {
  for (const ParameterGroup& group : parameters.groups())
    for (const Parameter& p : group.parameters)
      if (p.tied_to < 0 && p.role != PERRIN_SCRATCH) f(p);
}

}  // namespace perrin::model
