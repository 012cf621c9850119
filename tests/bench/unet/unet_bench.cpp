// Perrin's side of the U-Net benchmark. Reads one JSON object a line from stdin, answers one a line on stdout, so that
// it can alternate with peer.py, whose line format and models it shares:
//   {"do": "check", "model": M, "file": F}        -> {"output": largest |difference|, "gradient": relative, ...}
//   {"do": "check-samples", "model": M, "file": F, "samples": G}   -> weights from F; x_T and x_0 written to G
//   {"do": "train"|"forward"|"sample", "model": M, "variant": "fp32"|"bf16", "steps": N}   -> {"ms": [one a step]}
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include <array>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/kernels/adamw.hpp"
#include "host/kernels/ops.hpp"
#include "host/model/autocast.hpp"
#include "host/model/device.hpp"
#include "tests/bench/turns.hpp"
#include "tests/bench/unet/sampling.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace {

using nlohmann::json;
using perrin::bench::read;
using perrin::model::Autocast;
using perrin::testing::Bound;

struct Setting {
  perrin::testing::UNet unet;
  int64_t batch;
};

Setting setting(const std::string& model, int64_t head_channels) {
  if (model == "small") return {{{16, 32}, 8, head_channels, 2, {-1}}, 8};
  if (model == "large") return {{{32, 64, 128}, 32, head_channels, 2, {1, 2}}, 32};
  throw std::invalid_argument("no model " + model);
}

class Runner {
 public:
  Runner(const Setting& s, bool bf16)
      : bf16_(bf16),
        net_(perrin::testing::denoiser("unet", s.unet.values(), perrin::testing::spec({1, 32, 32}))),
        loss_(perrin::testing::load("loss", "l2", {})),
        x_(at::randn({s.batch, 1, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast)),
        target_(at::randn({s.batch, 1, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast)),
        t_(at::randint(0, 1000, {s.batch}).to(at::kFloat)),
        sampling_(s.unet, s.batch, bf16) {
    for (auto* state : {&m_, &v_, &ema_}) *state = at::zeros_like(net_.values);
  }

  at::Tensor predict() const { return perrin::testing::forward(net_.component, x_, t_); }

  void forward() {
    const at::NoGradGuard no_grad;
    const Autocast autocast(at::kCPU, bf16_);
    predict();
  }

  // Forward, loss, backward, AdamW with EMA, zeroed gradients: what the peer does, and the EMA besides.
  void train() {
    {
      const Autocast autocast(at::kCPU, bf16_);
      loss_value_ = perrin::testing::loss(loss_, predict(), target_).mean();
    }
    loss_value_.backward();
    perrin::kernels::AdamW options;
    options.lr = 1e-4;
    options.weight_decay = 0.01;
    options.step = ++step_;
    options.ema_decay = 0.999;
    perrin::kernels::adamw_ema(options, {span(net_.values), span(net_.gradients), span(m_), span(v_), span(ema_)},
                               perrin::kernels::torch_threads());
    net_.gradients.zero_();
  }

  void sample() { sampling_.sample(); }

  json check(const std::string& file);
  json check_samples(const std::string& weights, const std::string& samples);

 private:
  static std::span<float> span(const at::Tensor& t) {
    return {t.mutable_data_ptr<float>(), static_cast<size_t>(t.numel())};
  }

  bool bf16_;
  Bound net_;
  perrin::services::Component loss_;
  at::Tensor x_, target_, t_, m_, v_, ema_, loss_value_;
  int64_t step_ = 0;
  perrin::bench::Sampling sampling_;
};

// The peer's weights and inputs: do output and every gradient agree?
json Runner::check(const std::string& path) {
  const auto file = perrin::store::SafeTensors::open(path, perrin::store::Checksum::if_present);
  for (auto& d : net_.declared) d.value.detach().copy_(read(file, "weight." + d.name));
  x_ = read(file, "x").contiguous(at::MemoryFormat::ChannelsLast);
  t_ = read(file, "t");
  target_ = read(file, "target");
  net_.gradients.zero_();
  const Autocast autocast(at::kCPU, bf16_);
  const auto out = predict();
  perrin::testing::loss(loss_, out, target_).mean().backward();
  double worst = 0, largest = 0;
  std::string where;
  for (const auto& d : net_.declared) largest = std::max(largest, read(file, "grad." + d.name).norm().item<double>());
  for (const auto& d : net_.declared) {
    const auto expected = read(file, "grad." + d.name);
    // Some are zero by construction: a bias before a norm of one channel a group.
    const double scale = std::max(expected.norm().item<double>(), 1e-3 * largest);
    const double error = d.value.grad().sub(expected).norm().item<double>() / scale;
    if (error > worst) worst = error, where = d.name;
  }
  return {{"output", out.to(at::kFloat).sub(read(file, "output")).abs().max().item<double>()},
          {"gradient", worst},
          {"worst", where},
          {"parameters", net_.values.numel()}};
}

perrin::store::TensorView named(const char* name, const at::Tensor& t) {
  return {name, perrin::store::Dtype::f32, t.sizes().vec(),
          {static_cast<const std::byte*>(t.const_data_ptr()), static_cast<size_t>(t.nbytes())}};
}

json Runner::check_samples(const std::string& weights, const std::string& samples) {
  sampling_.take_weights(perrin::store::SafeTensors::open(weights, perrin::store::Checksum::if_present));
  const at::Tensor noise = sampling_.noise(), result = sampling_.sample();
  const std::array tensors{named("noise", noise), named("samples", result)};
  perrin::store::write_safetensors(samples, tensors, {});
  return {{"samples", samples}};
}

void step(Runner& runner, const std::string& what) {
  if (what == "train") runner.train();
  if (what == "forward") runner.forward();
  if (what == "sample") runner.sample();
}

json answer(Runner& runner, const json& request) {
  if (request["do"] == "check") return runner.check(request["file"]);
  if (request["do"] == "check-samples") return runner.check_samples(request["file"], request["samples"]);
  return perrin::bench::timed(request["steps"], [&] { step(runner, request["do"]); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: unet_bench THREADS < requests\n", 2;
  at::set_num_threads(std::stoi(argv[1]));
  perrin::model::tune_process();
  std::map<std::string, std::unique_ptr<Runner>> runners;
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const std::string variant = request.value("variant", "fp32"), model = request["model"];
    const int64_t head_channels = request.value("head_channels", 8);
    auto& runner = runners[model + variant + std::to_string(head_channels)];
    if (!runner) runner = std::make_unique<Runner>(setting(model, head_channels), variant == "bf16");
    std::cout << answer(*runner, request) << std::endl;
  }
}
