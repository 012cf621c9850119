// The picture of `perrin compare`: a row per sampler, a column per number of steps.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "host/store/png.hpp"

namespace perrin::app {

// samples: row by row, [n, C, H, W] of which the first two are shown, or points [n, 2], all of them on the axes of
// `reference`; an undefined one stays grey. Names are written in lower-case letters, digits, + - . alone.
store::Image compare_picture(const std::vector<at::Tensor>& samples, const std::vector<std::string>& rows,
                             const std::vector<std::string>& columns, const at::Tensor& reference);

}  // namespace perrin::app
