#include "host/data/latent_statistics.hpp"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "host/base/error.hpp"
#include "host/data/samples.hpp"
#include "host/model/fields.hpp"
#include "host/model/first_stage.hpp"
#include "host/model/latent_buffers.hpp"

namespace perrin::data {
namespace {

// Sums of z, over batch and space, in float64.
struct Moments {
  at::Tensor sum, squares;  // [C]
  int64_t n = 0;            // elements of a channel
  void add(const at::Tensor& z) {
    const at::Tensor rows = z.to(at::kCPU, at::kDouble).transpose(0, 1).flatten(1);  // [C, B H W]
    const at::Tensor s = rows.sum(1), q = rows.square().sum(1);
    sum = sum.defined() ? sum + s : s;
    squares = squares.defined() ? squares + q : q;
    n += rows.size(1);
  }
};

}  // namespace

void measure_latent(model::Model& model, int64_t batch_size, uint64_t most) {
  const at::Tensor scale = model::latent_buffer(model.parameters, "scale");
  if (!scale.defined() || std::isfinite(model::latent_buffer(model.parameters, "mean")[0].item<double>())) return;
  const bool given = model.experiment.latent.scale_factor > 0;
  const uint64_t count = std::min(most, model::dataset_count(model.dataset));
  Moments moments;
  for_each_samples(model, count, batch_size, [&](const Batch& batch, const perrin_call& call) {
    moments.add(encode(model, call, images(model, batch)));
  });
  const at::Tensor mean = moments.sum / moments.n;
  model::latent_buffer(model.parameters, "mean").copy_(mean);
  model::latent_buffer(model.parameters, "deviation")
      .copy_((moments.squares / moments.n - mean.square()).clamp_min(0).sqrt());
  const double all = mean.mean().item<double>();
  const double variance = (moments.squares / moments.n).mean().item<double>() - all * all;
  if (!given && !(variance > 0))
    throw Error("the encoder gives the same z for all data: it has collapsed", "encoder " + model.encoder.id(),
                "train the first stage longer, with less regularisation");
  scale.fill_(given ? model.experiment.latent.scale_factor : 1 / std::sqrt(variance));
}

}  // namespace perrin::data
