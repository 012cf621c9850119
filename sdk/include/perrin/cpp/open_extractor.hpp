// C++ layer of host/extractor.h, tier B: a trained extractor inside a loss or a metric.
//   perrin::OpenExtractor net("vgg", "vgg16.safetensors", shapes["x"]);    in infer, where the images' shape is known
//   net.select({"relu1_2", "relu2_2"});
//   const std::vector<at::Tensor> features = net(call, x);                   as they were selected
// Holds one open extractor, closed with this object. Not to be called by two threads at a time.
#pragma once

#include <algorithm>
#include <numeric>

#include "../host/extractor.h"
#include "torch.hpp"

namespace perrin {

class OpenExtractor {
 public:
  OpenExtractor() = default;  // none
  // use: the extractor's id, or empty: as the weights' file says. weights: a safetensors file. x: the images' shape
  // without the batch dimension. Throws HostFailure as perrin_host_extractor::open fails.
  OpenExtractor(const std::string& use, const std::string& weights, const perrin_spec& x)
      : api_(service<perrin_host_extractor>(PERRIN_HOST_EXTRACTOR)) {
    check(api_->open(text(use), text(weights), &x, &extractor_));
    check(api_->layers(extractor_, &n_, &names_, &specs_));
  }
  ~OpenExtractor() {
    if (extractor_) api_->close(extractor_);
  }
  OpenExtractor(OpenExtractor&& other) noexcept { swap(other); }
  OpenExtractor& operator=(OpenExtractor&& other) noexcept { return swap(other), *this; }

  explicit operator bool() const { return extractor_ != nullptr; }

  // All its layers, the first ones first. The shape is without the batch dimension.
  std::vector<std::string> layers() const {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < n_; ++i) names.emplace_back(view(names_[i]));
    return names;
  }
  const perrin_spec& shape(const std::string& layer) const { return specs_[index(layer)]; }

  // What calls give from now on. Failure(PERRIN_INVALID_CONFIG), with those that it has, for a layer that it lacks, and
  // for one that is named twice.
  void select(const std::vector<std::string>& layers) {
    std::vector<uint32_t> wanted;
    for (const std::string& layer : layers) wanted.push_back(index(layer));
    std::vector<size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return wanted[a] < wanted[b]; });
    wanted_.clear();
    for (const size_t i : order) {
      if (!wanted_.empty() && wanted_.back() == wanted[i])
        throw Failure(PERRIN_INVALID_CONFIG, "the layer \"" + layers[i] + "\" is named twice; name it once");
      wanted_.push_back(wanted[i]);
    }
    order_ = std::move(order);
  }

  // x: [B, C, H, W] in [-1, 1] -> the selected layers, [B, ...] each, with graphs to x if it has one. In evaluation,
  // also where `call` is of training: what it learnt is fixed.
  std::vector<at::Tensor> operator()(const perrin_call& call, const at::Tensor& x) const {
    perrin_call evaluation{};
    evaluation.struct_size = sizeof evaluation;
    evaluation.seed = call.seed, evaluation.n = call.n, evaluation.samples = call.samples;
    std::vector<perrin_tensor*> given(wanted_.size());
    perrin_tensor* input = wrap(x);
    perrin_status* status = api_->forward(extractor_, &evaluation, input, static_cast<uint32_t>(wanted_.size()),
                                          wanted_.data(), given.data());
    const auto* tensors = service<perrin_host_tensor>(PERRIN_HOST_TENSOR);
    tensors->release(input);
    check(status);
    std::vector<at::Tensor> features(given.size());
    for (size_t i = 0; i < given.size(); ++i) {
      features[order_[i]] = tensor(given[i]);
      tensors->release(given[i]);
    }
    return features;
  }

 private:
  uint32_t index(const std::string& layer) const {
    std::string has;
    for (uint32_t i = 0; i < n_; ++i) {
      if (view(names_[i]) == layer) return i;
      has += (i ? ", " : "") + std::string(view(names_[i]));
    }
    throw Failure(PERRIN_INVALID_CONFIG, "the extractor has no layer \"" + layer + "\"; it has " + has);
  }
  void swap(OpenExtractor& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(extractor_, other.extractor_);
    std::swap(n_, other.n_);
    std::swap(names_, other.names_);
    std::swap(specs_, other.specs_);
    wanted_.swap(other.wanted_);
    order_.swap(other.order_);
  }

  const perrin_host_extractor* api_ = nullptr;
  perrin_open_extractor* extractor_ = nullptr;
  uint32_t n_ = 0;
  const perrin_text* names_ = nullptr;
  const perrin_spec* specs_ = nullptr;
  std::vector<uint32_t> wanted_;  // ascending, as the host takes them
  std::vector<size_t> order_;     // place of wanted_[i] in the selection
};

}  // namespace perrin
