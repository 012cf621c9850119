#include "host/model/extract.hpp"

#include <ATen/core/Tensor.h>
#include <perrin/kind/extractor.h>

#include <algorithm>

#include "host/model/denoise.hpp"
#include "host/services/tensor.hpp"

namespace perrin::model {

std::vector<at::Tensor> forward_layers(Model& model, const perrin_call& call, const at::Tensor& x,
                                       const std::vector<uint32_t>& wanted) {
  const services::TensorHandle input = services::wrap(x);
  services::Outputs outputs(wanted.size());
  model.extractor.invoke<&perrin_extractor::forward>(&call, input.get(), static_cast<uint32_t>(wanted.size()),
                                                     wanted.data(), outputs.data());
  std::vector<at::Tensor> layers;
  for (size_t i = 0; i < wanted.size(); ++i) layers.push_back(outputs.take(i).to(at::kFloat));
  return layers;
}

std::vector<at::Tensor> extract(Model& model, const perrin_call& call, const at::Tensor& x,
                                const std::vector<std::string>& names) {
  std::vector<uint32_t> wanted;
  for (const std::string& name : names)
    wanted.push_back(static_cast<uint32_t>(std::ranges::find(model.shapes.layers, name) - model.shapes.layers.begin()));
  return forward_layers(model, call, channels_last(x), wanted);
}

}  // namespace perrin::model
