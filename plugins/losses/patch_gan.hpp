// PatchGAN, the discriminator of 1611.07004 (section 3.2.2 and appendix 6.1.2) as latent diffusion has it (2112.10752,
// appendix G): 4 x 4 convolutions, `layers` of stride 2 and two of stride 1, LeakyReLU 0.2, one logit a patch.
// Parameter names are those of taming-transformers' NLayerDiscriminator: "main.0.weight", ...
#pragma once

#include <perrin/cpp/torch.hpp>
#include <vector>

namespace losses {

// Between the first and the last convolution:
//   batch     batch normalisation (1502.03167) by the statistics of the batch at hand, always: a sample's logits depend
//             on its batch
//   spectral  none, and every weight divided by its largest singular value (1802.05957, equation 8)
enum class Norm { batch, spectral, none };

class PatchGan {
 public:
  // x: [C, H, W]. Call within infer: initial scales are drawn from LibTorch's generator, which the host seeds there.
  // Failure(PERRIN_INVALID_CONFIG) if no patch fits into x.
  PatchGan(perrin::Parameters& p, const perrin_spec& x, int64_t channels, int64_t layers, Norm norm);

  // x: [B, C, H, W] -> logits [B, 1, h, w]. Twice differentiable.
  at::Tensor operator()(at::Tensor x) const;

  // One step of the power iteration for the singular values, kept in the buffers "main.<i>.u"; once per training step.
  void iterate() const;

 private:
  struct Layer {
    const at::Tensor *weight, *bias = nullptr;            // [out, in, 4, 4], [out]
    const at::Tensor *scale = nullptr, *shift = nullptr;  // of the batch normalisation after it
    const at::Tensor* u = nullptr;                        // [out], not of length one
    int64_t stride = 1;
  };
  struct Plan;
  void add(Plan& plan, int64_t out, int64_t stride);

  Norm norm_;
  std::vector<Layer> layers_;
};

}  // namespace losses
