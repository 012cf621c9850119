// Extractors as the host holds them: a component with parameters, and one that the service opens from a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perrin/host/extractor.h"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

// The keys of `vgg`.
struct Vgg {
  std::vector<int64_t> channels = {8, 16}, convolutions = {2, 1};
  int64_t classes = 0, hidden = 8;
  double dropout = 0.5;
  std::string normalise = "imagenet";
  Values values() const;
};

// The keys of `resnet-small`, and with `width` of `clip-image`.
struct Trunk {
  std::vector<int64_t> channels = {8, 16};
  int64_t blocks = 1, groups = 4, width = 0;
  Values values() const;
};

// The layers' names and shapes after infer.
struct Inferred {
  std::vector<std::string> names;
  std::vector<perrin_spec> specs;
};
Inferred infer(const services::Component& extractor, const perrin_spec& x, uint64_t n_classes);

// Parameters bound, drawn from N(0, 0.3^2) where they would start from zero.
Bound extractor(const std::string& id, Values values, const perrin_spec& x, uint64_t n_classes,
                at::ScalarType dtype = at::kFloat);

// x: [B, C, H, W] -> the layers `wanted`, in evaluation.
std::vector<at::Tensor> extract(const services::Component& extractor, const at::Tensor& x,
                                const std::vector<uint32_t>& wanted);

// All numbers below n.
std::vector<uint32_t> up_to(size_t n);

// perrin.extractor/1, as a plugin reaches it. The first use installs the hooks of a program with the built-in plugins.
class Opened {
 public:
  // Throws perrin::Error.
  Opened(const std::string& use, const std::string& weights, const perrin_spec& x);
  ~Opened();
  Opened(const Opened&) = delete;

  const std::vector<std::string>& layers() const { return names_; }
  const std::vector<perrin_spec>& specs() const { return specs_; }
  std::vector<at::Tensor> operator()(const at::Tensor& x, const std::vector<uint32_t>& wanted) const;
  std::vector<at::Tensor> operator()(const at::Tensor& x) const { return (*this)(x, up_to(names_.size())); }

 private:
  perrin_open_extractor* extractor_ = nullptr;
  std::vector<std::string> names_;
  std::vector<perrin_spec> specs_;
};

// Writes what `extractor` declares, with this metadata.
void write_weights(const std::filesystem::path& file, const Bound& extractor,
                   const std::map<std::string, std::string>& metadata);

// A folder that goes with the object.
struct Folder {
  Folder();
  ~Folder();
  std::filesystem::path path;
};

// The error that f throws, or "accepted".
template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

}  // namespace perrin::testing
