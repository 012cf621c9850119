// C++ layer of host/weights.h, tier B: initial values from a safetensors file.
//   perrin::WeightsFile file(config.string("weights"));
//   file.give(parameters_, [](const std::string& name) { return "text_model." + name; });
#pragma once

#include <functional>

#include "../host/weights.h"
#include "torch.hpp"

namespace perrin {

class WeightsFile {
 public:
  explicit WeightsFile(const std::string& file)
      : api_(service<perrin_host_weights>(PERRIN_HOST_WEIGHTS)), file_(file) {
    check(api_->open(text(file), &weights_));
  }
  ~WeightsFile() { api_->close(weights_); }
  WeightsFile(const WeightsFile&) = delete;

  const std::string& file() const { return file_; }
  std::vector<std::string> names() const {
    uint64_t n = 0;
    const perrin_text* names = nullptr;
    check(api_->names(weights_, &n, &names));
    std::vector<std::string> result;
    for (uint64_t i = 0; i < n; ++i) result.emplace_back(view(names[i]));
    return result;
  }
  bool has(const std::string& name) const {
    for (const std::string& held : names())
      if (held == name) return true;
    return false;
  }
  std::string metadata(const std::string& key) const {
    perrin_text value{};
    check(api_->metadata(weights_, text(key), &value));
    return std::string(view(value));
  }
  at::Tensor operator[](const std::string& name) const {
    perrin_tensor* held = nullptr;
    check(api_->get(weights_, text(name), &held));
    const at::Tensor result = tensor(held);
    service<perrin_host_tensor>(PERRIN_HOST_TENSOR)->release(held);
    return result;
  }

  // Every parameter and buffer declared so far starts at the file's tensor of the name that `name_in_file` gives, or as
  // declared where that is empty. Failure(PERRIN_INVALID_DATA), with both shapes, where one does not fit.
  void give(Parameters& parameters, const std::function<std::string(const std::string&)>& name_in_file) const {
    parameters.give([&](const std::string& name, at::IntArrayRef sizes) -> at::Tensor {
      const std::string held = name_in_file(name);
      if (held.empty()) return {};
      const at::Tensor value = (*this)[held];
      if (value.sizes() != sizes)
        throw Failure(PERRIN_INVALID_DATA, c10::str(file_, ": tensor \"", held, "\" is ", value.sizes(),
                                                    ", and the component's \"", name, "\" is ", sizes));
      return value;
    });
  }

 private:
  const perrin_host_weights* api_;
  std::string file_;
  perrin_weights* weights_ = nullptr;
};

}  // namespace perrin
