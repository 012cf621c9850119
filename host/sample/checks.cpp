#include "host/sample/checks.hpp"

#include <c10/util/StringUtil.h>

#include <cmath>

#include "host/base/error.hpp"
#include "host/services/finite.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {

void Checked::shape(const at::Tensor& x, at::IntArrayRef sizes) const {
  if (x.sizes() != sizes) refuse(c10::str("has the shape ", x.sizes(), " and not ", sizes));
  if (x.scalar_type() != at::kFloat) refuse(c10::str("is of type ", x.scalar_type(), " and not Float"));
  const c10::Device device = by.session().device();
  if (x.device().type() != device.type()) refuse(c10::str("is on ", x.device(), " and not on ", device));
}

void Checked::finite(const at::Tensor& x, const perrin_time& at) const {
  if (services::all_finite(x)) return;
  refuse(c10::str("is not finite at t = ", at.t, ": ", services::count_not_finite(x)),
         "try another checkpoint, or report it to the component's author");
}

void Checked::refuse(const std::string& fault, const char* fix) const {
  throw Error(c10::str(what, " ", fault), c10::str(owner, by.kind(), " \"", by.id(), "\""), fix);
}

void check_level(const services::Component& sampler, const perrin_time& at) {
  const bool level = at.alpha >= 0 && at.sigma >= 0 && std::isfinite(at.alpha) && std::isfinite(at.sigma) &&
                     at.alpha + at.sigma > 0 && std::isfinite(at.t);
  if (level) return;
  Checked{sampler, "the noise level that was asked for"}.refuse(
      c10::str("is none: t = ", at.t, ", alpha = ", at.alpha, ", sigma = ", at.sigma));
}

}  // namespace perrin::sample
