#include "host/model/denoise.hpp"

#include <ATen/ops/tensor.h>
#include <perrin/kind/denoiser.h>

#include "host/services/tensor.hpp"

namespace perrin::model {

at::Tensor channels_last(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning) {
  std::vector<float> noise;
  for (const perrin_coefficients& c : coefficients) noise.push_back(static_cast<float>(c.c_noise));
  const services::TensorHandle x = services::wrap(input),
                               c_noise = services::wrap(at::tensor(noise).to(input.device()));
  perrin_tensor* prediction = nullptr;
  model.denoiser.invoke<&perrin_denoiser::forward>(&call, x.get(), c_noise.get(), conditioning, &prediction);
  return services::take(prediction);
}

}  // namespace perrin::model
