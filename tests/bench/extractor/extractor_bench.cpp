// Perrin's side of the extractors' benchmark: a file of weights opened as a loss or a judge opens it. Reads one JSON
// object a line from stdin, answers one a line on stdout, so that it can alternate with peer.py:
//   {"do": "check"}               -> {"apart": largest |difference| of the layer over the peer's largest element}
//   {"do": "time", "steps": N}   -> {"ms": [one a pass]}, passes without gradients
// The file holds the peer's weights, "in.x" [B, C, H, W] in [-1, 1] and "out.LAYER".
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/model/device.hpp"
#include "tests/bench/turns.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace {

using nlohmann::json;
using namespace perrin;
using bench::read;

class Runner {
 public:
  Runner(const std::string& path, const std::string& layer)
      : file_(store::SafeTensors::open(path, store::Checksum::if_present)),
        x_(read(file_, "in.x").contiguous(at::MemoryFormat::ChannelsLast)),
        out_(read(file_, "out." + layer)),
        extractor_("", path, testing::spec(x_.sizes().slice(1).vec())) {
    const auto& names = extractor_.layers();
    wanted_ = static_cast<uint32_t>(std::find(names.begin(), names.end(), layer) - names.begin());
  }

  at::Tensor pass() const { return extractor_(x_, {wanted_})[0]; }
  json check() const { return {{"apart", pass().sub(out_).abs().max().div(out_.abs().max()).item<double>()}}; }

 private:
  store::SafeTensors file_;
  at::Tensor x_, out_;
  testing::Opened extractor_;
  uint32_t wanted_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: extractor_bench WEIGHTS LAYER THREADS < requests\n", 2;
  at::set_num_threads(std::stoi(argv[3]));
  model::tune_process();
  const at::NoGradGuard no_grad;
  const Runner runner(argv[1], argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    std::cout << (request["do"] == "check" ? runner.check() : bench::timed(request["steps"], [&] { runner.pass(); }))
              << std::endl;
  }
}
