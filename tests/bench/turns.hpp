// What the programs of benchmarks share that take turns with a peer, driven by turns.py: the peer's file, and a clock.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/store/safetensors.hpp"

namespace perrin::bench {

// A float32 tensor of the file, of its own memory. Throws std::invalid_argument if it is not there.
inline at::Tensor read(const store::SafeTensors& file, const std::string& name) {
  const auto* view = file.find(name);
  if (view == nullptr) throw std::invalid_argument("the peer's file has no " + name);
  return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat).clone();
}

// {"ms": [one a call]}
template <class F>
nlohmann::json timed(int calls, F&& f) {
  std::vector<double> ms;
  for (int i = 0; i < calls; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  return {{"ms", ms}};
}

}  // namespace perrin::bench
