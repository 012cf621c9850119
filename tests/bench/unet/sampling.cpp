#include "tests/bench/unet/sampling.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "host/kernels/random.hpp"
#include "host/loader/index.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"

namespace perrin::bench {
namespace {

constexpr uint64_t kSeed = 7;

std::string list(const std::vector<int64_t>& values) {
  std::string text = "[";
  for (int64_t v : values) text += std::to_string(v) + ", ";
  return text + "]\n";
}

std::string experiment(const perrin::testing::UNet& unet) {
  return "[experiment]\nname = 'bench'\n"
         "[dataset]\nuse = 'gaussian-mixture'\nshape = [1, 32, 32]\n"
         "[schedule]\nuse = 'linear'\n"
         "[sampler]\nuse = 'ddim'\nsteps = 10\nspacing = 'leading'\nclip_denoised = false\n"
         "[denoiser]\nuse = 'unet'\nchannels = " +
         list(unet.channels) + "groups = " + std::to_string(unet.groups) +
         "\nhead_channels = " + std::to_string(unet.head_channels) +
         "\nlayers_per_block = " + std::to_string(unet.layers_per_block) + "\nattention = " + list(unet.attention);
}

}  // namespace

Sampling::Sampling(const perrin::testing::UNet& unet, int64_t batch, bool bf16) : batch_(batch), bf16_(bf16) {
  static auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const auto catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  loaded_ = config::load_text(experiment(unet), "bench.toml", {}, catalogue);
  model_ = std::make_unique<model::Model>(loaded_, *registry);
  model_->build_parameters();
}

void Sampling::take_weights(const store::SafeTensors& file) {
  for (const model::Parameter& p : model_->parameters.group("denoiser")->parameters) {
    const auto* view = file.find("weight" + p.name.substr(p.name.find('.')));
    if (view == nullptr) throw std::invalid_argument("the peer's file has no weight for " + p.name);
    p.tensor.detach().copy_(at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat));
  }
}

at::Tensor Sampling::noise() const {
  at::Tensor x = at::empty({batch_, 1, 32, 32});
  for (int64_t i = 0; i < batch_; ++i)
    random::normal({kSeed, PERRIN_PURPOSE_SAMPLE, 0}, static_cast<uint64_t>(i), 0,
                   std::span<float>(x.data_ptr<float>() + i * 1024, 1024));
  return x;
}

at::Tensor Sampling::sample() {
  sample::Request request;
  request.count = request.batch_size = batch_;
  request.seed = kSeed;
  request.bf16 = bf16_;
  return sample::generate(*model_, request);
}

}  // namespace perrin::bench
