#include "metrics/reconstruction.hpp"

#include <ATen/core/grad_mode.h>

#include <chrono>

#include "host/evaluate/batches.hpp"
#include "host/model/denoise.hpp"
#include "host/model/first_stage.hpp"

namespace perrin::evaluate {

Values reconstruction(model::Model& model, const Request& request) {
  const at::NoGradGuard no_grad;
  double l1 = 0, psnr = 0, psnr_8bit = 0, encoding = 0, decoding = 0;
  int64_t n = 0;
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  for_each_batch(model, request, [&](const data::Batch& batch, const perrin_call& call) {
    const at::Tensor x = model::channels_last(data::images(model, batch));
    const double begin = now();
    const at::Tensor z = model::encode(model, call, x);
    const double between = now();
    const at::Tensor y = model::decode(model, call, z);
    decoding += now() - between;
    encoding += between - begin;
    const metrics::Reconstruction found = metrics::reconstruction(x.cpu(), y.to(at::kCPU, at::kFloat));
    l1 += found.l1.sum().item<double>();
    psnr += found.psnr.sum().item<double>();
    psnr_8bit += found.psnr_8bit.sum().item<double>();
    n += x.size(0);
  });
  const auto mean = [&](double sum) { return sum / static_cast<double>(n); };
  return {{"l1", "", "mean absolute error, of data in [-1, 1]", mean(l1), n},
          {"psnr", "dB", "mean over images, of values as the decoder gives them", mean(psnr), n},
          {"psnr-8bit", "dB", "mean over images, of 8-bit pictures", mean(psnr_8bit), n},
          {"encode", "ms per image", "", 1e3 * mean(encoding), n},
          {"decode", "ms per image", "", 1e3 * mean(decoding), n}};
}

}  // namespace perrin::evaluate
