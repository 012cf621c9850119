// Perrin's side of the first stage's benchmark. Reads one JSON object a line from stdin, answers one a line on stdout,
// so that it can alternate with peer.py, which makes the file of weights:
//   {"do": "load", "file": F, "channels": [..], "groups": G}  -> {"output": largest |difference| over the largest,
//                                                                "gradient": of all weights, by norms, "parameters"}
//   {"do": "time", "steps": N}                                -> {"ms": [one a step]}
// A step: encoder, posterior's mean, decoder, squared error, gradients of every weight; no optimizer.
#include <ATen/Parallel.h>
#include <ATen/ops/mse_loss.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/model/device.hpp"
#include "tests/bench/turns.hpp"
#include "tests/unit/encoders_ae/held.hpp"

namespace {

using nlohmann::json;
using perrin::bench::read;
using perrin::testing::Bound;

class Runner {
 public:
  explicit Runner(const json& request)
      : file_(
            perrin::store::SafeTensors::open(request["file"].get<std::string>(), perrin::store::Checksum::if_present)),
        x_(read(file_, "x").contiguous(at::MemoryFormat::ChannelsLast)),
        net_(perrin::testing::encoder("autoencoder-kl",
                                      {{"channels", request["channels"].get<std::vector<int64_t>>()},
                                       {"groups", request["groups"].get<int64_t>()}},
                                      x_.sizes().slice(1).vec())) {
    for (auto& d : net_.declared) d.value.detach().copy_(read(file_, "weight." + d.name));
  }

  at::Tensor train() {
    net_.gradients.zero_();
    const at::Tensor y = perrin::testing::decode(net_, perrin::testing::encode_training(net_, x_)[1]);
    at::mse_loss(y, x_).backward();
    return y.detach();
  }

  json check() {
    const double output = perrin::testing::apart(train(), read(file_, "output"));
    double difference = 0, norm = 0;
    for (const auto& d : net_.declared) {
      const at::Tensor theirs = read(file_, "grad." + d.name);
      difference += d.value.grad().sub(theirs).square().sum().item<double>();
      norm += theirs.square().sum().item<double>();
    }
    return {{"output", output}, {"gradient", std::sqrt(difference / norm)}, {"parameters", net_.values.numel()}};
  }

 private:
  perrin::store::SafeTensors file_;
  at::Tensor x_;
  Bound net_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: first_stage_bench THREADS < requests\n", 2;
  at::set_num_threads(std::stoi(argv[1]));
  perrin::model::tune_process();
  std::unique_ptr<Runner> runner;
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    if (request["do"] == "load") runner = std::make_unique<Runner>(request);
    std::cout << (request["do"] == "load" ? runner->check() : perrin::bench::timed(request["steps"], [&] { runner->train(); }))
              << std::endl;
  }
}
