// A small convolutional denoiser of torch::nn modules. Nothing here but what find_package(Perrin) gives.
#include <perrin/cpp/nn.hpp>  // before the other Perrin headers
//
#include <ATen/ops/silu.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <perrin/cpp/denoiser.hpp>

namespace {

// Two convolutions with the noise level between them.
struct Block : torch::nn::Module {
  Block(int64_t width)
      : first(torch::nn::Conv2dOptions(width, width, 3).padding(1)),
        second(torch::nn::Conv2dOptions(width, width, 3).padding(1)),
        level(1, width) {
    register_module("first", first);
    register_module("second", second);
    register_module("level", level);
  }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t) {
    const auto h = first(at::silu(x)).add(level(t).unsqueeze(-1).unsqueeze(-1));  // [B, width, H, W]
    return x.add(second(at::silu(h)));
  }
  torch::nn::Conv2d first, second;
  torch::nn::Linear level;
};

struct Net : torch::nn::Module {
  Net(int64_t channels, int64_t width, int64_t blocks)
      : in(torch::nn::Conv2dOptions(channels, width, 3).padding(1)),
        out(torch::nn::Conv2dOptions(width, channels, 3).padding(1)) {
    register_module("in", in);
    for (int64_t i = 0; i < blocks; ++i)
      list.push_back(register_module("block" + std::to_string(i), std::make_shared<Block>(width)));
    register_module("out", out);
  }
  torch::nn::Conv2d in, out;
  std::vector<std::shared_ptr<Block>> list;
};

class ConvNet {
 public:
  static constexpr std::string_view id = "example.convnet";
  static constexpr std::string_view version = "1.0.0";
  static constexpr std::string_view doc = "Residual convolutions at full resolution; unconditional.";
  static std::vector<perrin::Key> keys() {
    return {perrin::Key::integer("width", "32", "channels of every hidden layer").min(1),
            perrin::Key::integer("blocks", "2", "number of residual blocks").min(1)};
  }
  explicit ConvNet(const perrin::Config& config) : width_(config.integer("width")), blocks_(config.integer("blocks")) {}

  // Shapes are known here, so this is where the network is built and its parameters are handed to Perrin.
  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    if (x.rank != 3) throw perrin::Failure(PERRIN_INVALID_CONFIG, "example.convnet needs images [C, H, W]");
    if (conditioning != nullptr && conditioning->slots != 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG, "example.convnet is unconditional: leave out [conditioner]");
    net_ = std::make_shared<Net>(x.sizes[0], width_, blocks_);
    perrin::declare_module(parameters_, *net_);
    return x;
  }

  // x: [B, C, H, W], c_noise: [B] -> [B, C, H, W].
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning&) const {
    const auto t = c_noise.mul(1e-3).unsqueeze(1).to(x.scalar_type());  // [B, 1]
    auto h = net_->in(x);
    for (const auto& block : net_->list) h = block->forward(h, t);
    return net_->out(at::silu(h));
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  int64_t width_, blocks_;
  std::shared_ptr<Net> net_;
  perrin::Parameters parameters_;
};
PERRIN_DENOISER(ConvNet);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_B)
