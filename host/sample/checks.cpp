#include "host/sample/checks.hpp"

#include <ATen/ops/isfinite.h>
#include <c10/util/StringUtil.h>

#include <cmath>

#include "host/base/error.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {

bool is_finite(const at::Tensor& x) { return at::isfinite(x).all().item<bool>(); }

std::vector<int64_t> batch_sizes(const perrin_spec& spec, int64_t n) {
  std::vector<int64_t> sizes(spec.sizes, spec.sizes + spec.rank);
  sizes.insert(sizes.begin(), n);
  return sizes;
}

void Given::check_shape(const at::Tensor& x, at::IntArrayRef sizes, bool reduced) const {
  if (!x.defined()) refuse("is missing");
  if (x.sizes() != sizes) refuse(c10::str("has the shape ", x.sizes(), " and not ", sizes));
  if (x.scalar_type() != at::kFloat && !(reduced && x.is_floating_point()))
    refuse(c10::str("is of type ", x.scalar_type(), " and not Float"));
  if (x.device().type() != services::run_device().type())
    refuse(c10::str("is on ", x.device(), " and not on ", services::run_device()));
}

void Given::check_finite(const at::Tensor& x, const perrin_time* at) const {
  const int64_t finite = at::isfinite(x).sum().item<int64_t>();
  if (finite == x.numel()) return;
  refuse(c10::str("is not finite in ", x.numel() - finite, " of ", x.numel(), " values",
                  at ? c10::str(", at t = ", at->t) : ""),
         "it is the first on the way that is not; try another checkpoint, or report it to the component's author");
}

void Given::refuse(const std::string& fault, const char* fix) const {
  throw Error(c10::str(what, " ", fault), c10::str(owner, by.kind(), " \"", by.id(), "\""), fix);
}

at::Tensor checked_images(const run::Model& model, const at::Tensor& x, int64_t n) {
  const Given given{model.encoder, "the decoded image"};
  given.check_shape(x, batch_sizes(model.shapes.x, n));
  given.check_finite(x);
  return x.to(at::kCPU).contiguous();
}

void check_level(const services::Component& sampler, const perrin_time& at) {
  const bool level = at.alpha >= 0 && at.sigma >= 0 && std::isfinite(at.alpha) && std::isfinite(at.sigma) &&
                     at.alpha + at.sigma > 0 && std::isfinite(at.t);
  if (level) return;
  Given{sampler, "the noise level that was asked for"}.refuse(
      c10::str("is none: t = ", at.t, ", alpha = ", at.alpha, ", sigma = ", at.sigma));
}

}  // namespace perrin::sample
