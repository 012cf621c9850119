// C++ layer of kind/extractor.h, tier B. An extractor derives from perrin::ExtractorLayers, which its constructor gives
// the names of its layers, and has
//   std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t n_classes);    builds the network; a shape per layer
//   std::vector<at::Tensor> forward(const perrin_call& call, const at::Tensor& x, const std::vector<uint32_t>& wanted)
//   const; perrin::Parameters& parameters();
#pragma once

#include "../kind/extractor.h"
#include "torch.hpp"

namespace perrin {

class ExtractorLayers {
 public:
  explicit ExtractorLayers(std::vector<std::string> names) : names_(std::move(names)) {
    for (const std::string& name : names_) texts_.push_back(text(name));
  }
  ExtractorLayers(const ExtractorLayers&) = delete;
  ExtractorLayers& operator=(const ExtractorLayers&) = delete;

  const std::vector<std::string>& layers() const { return names_; }
  const std::vector<perrin_text>& layer_texts() const { return texts_; }

 private:
  std::vector<std::string> names_;
  std::vector<perrin_text> texts_;  // of names_
};

// Takes the layers as they come, in their order, and keeps those asked for.
class WantedLayers {
 public:
  // wanted: ascending. Must outlive this.
  explicit WantedLayers(const std::vector<uint32_t>& wanted) : wanted_(wanted) {}
  // The next layer. True once there is nothing left to compute: then `all` are what was asked for.
  bool take(const at::Tensor& layer) {
    if (all.size() < wanted_.size() && wanted_[all.size()] == next_) all.push_back(layer);
    ++next_;
    return all.size() == wanted_.size();
  }
  std::vector<at::Tensor> all;

 private:
  const std::vector<uint32_t>& wanted_;
  uint32_t next_ = 0;
};

template <class T>
struct ExtractorAdapter : ParamsAdapter<T> {
  static perrin_status* layers(void* instance, uint32_t* n, const perrin_text** names) {
    return detail::call<T>(instance, [&](const T& self) {
      *n = static_cast<uint32_t>(self.layer_texts().size());
      *names = self.layer_texts().data();
    });
  }
  static perrin_status* infer(void* instance, const perrin_spec* x, uint64_t n_classes, perrin_spec* layers) {
    return detail::call<T>(instance, [&](T& self) {
      const std::vector<perrin_spec> specs = self.infer(*x, n_classes);
      for (size_t i = 0; i < specs.size(); ++i) layers[i] = specs[i];
    });
  }
  static perrin_status* forward(void* instance, const perrin_call* call, perrin_tensor* x, uint32_t n,
                                const uint32_t* wanted, perrin_tensor** outputs) {
    return detail::call<T>(instance, [&](T& self) {
      const std::vector<at::Tensor> given = self.forward(*call, tensor(x), {wanted, wanted + n});
      for (uint32_t i = 0; i < n; ++i) outputs[i] = wrap(given[i]);
    });
  }
  static constexpr perrin_extractor table = {sizeof(perrin_extractor), 0, layers, infer, forward};
};

}  // namespace perrin

#define PERRIN_EXTRACTOR(T) PERRIN_COMPONENT(PERRIN_KIND_EXTRACTOR, ::perrin::ExtractorAdapter, T)
