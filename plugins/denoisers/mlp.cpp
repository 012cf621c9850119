// A residual multilayer perceptron on the flattened sample: for points in the plane and other short vectors.
#include <ATen/ops/silu.h>

#include <perrin/cpp/denoiser.hpp>
#include <perrin/cpp/layers.hpp>

#include "condition_slots.hpp"

namespace {

using perrin::Key;
using perrin::Linear;

class Mlp {
 public:
  static constexpr std::string_view id = "mlp";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Residual layers h + W silu(h + time) on the flattened sample, for low-dimensional data; takes a vector "
      "condition.";
  static std::vector<Key> keys() {
    return {Key::integer("width", "128", "size of every hidden layer and of the time embedding").min(2),
            Key::integer("layers", "3", "number of residual layers").min(1)};
  }
  static void validate(const perrin::Config& config) {
    if (config.integer("width") % 2 != 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            "width must be even, half sines and half cosines of the time; it is " +
                                std::to_string(config.integer("width")));
  }
  explicit Mlp(const perrin::Config& config) : width_(config.integer("width")), n_layers_(config.integer("layers")) {}

  perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
    require_slots(id, conditioning, PERRIN_SLOT_VECTOR);
    int64_t size = 1;
    for (uint32_t i = 0; i < x.rank; ++i) size *= x.sizes[i];
    time_1_.emplace(p_, "time_embedding.linear_1", width_, width_);
    time_2_.emplace(p_, "time_embedding.linear_2", width_, width_);
    if (has_slot(conditioning, PERRIN_SLOT_VECTOR))
      condition_.emplace(p_, "condition", conditioning->vector.sizes[0], width_);
    in_.emplace(p_, "in", size, width_);
    for (int64_t i = 0; i < n_layers_; ++i) {
      const std::string name = "layers." + std::to_string(i);
      layers_.push_back({Linear(p_, name + ".time", width_, width_), Linear(p_, name + ".linear", width_, width_)});
    }
    out_.emplace(p_, "out", width_, size);
    return x;
  }

  // x: [B, ...], c_noise: [B] -> [B, ...].
  at::Tensor forward(const perrin_call&, const at::Tensor& x, const at::Tensor& c_noise,
                     const perrin::Conditioning& conditioning) const {
    auto e = (*time_2_)(at::silu((*time_1_)(perrin::timestep_embedding(c_noise, width_).to(x.scalar_type()))));
    if (condition_) e = e.add((*condition_)(conditioning.vector));
    e = at::silu(e);  // [B, width]
    auto h = (*in_)(x.flatten(1));
    for (const Layer& layer : layers_) h = h.add(layer.linear(at::silu(h.add(layer.time(e)))));
    return (*out_)(at::silu(h)).reshape(x.sizes());
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  struct Layer {
    Linear time, linear;
  };
  int64_t width_, n_layers_;
  perrin::Parameters p_;
  std::optional<Linear> time_1_, time_2_, condition_, in_, out_;
  std::vector<Layer> layers_;
};
PERRIN_DENOISER(Mlp);

}  // namespace
