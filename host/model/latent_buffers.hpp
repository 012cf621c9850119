// What is known of the data's z, kept in checkpoints under "latent.".
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "host/model/parameters.hpp"

namespace perrin::model {

// scale [1], 0 until it is given or measured; mean and deviation of each channel [C], of z as the encoder gives it, NaN
// until measured. All float64.
inline constexpr const char* kLatentStatistics[] = {"scale", "mean", "deviation"};

// Of an encoder with parameters, whose z has `channels`; none of another. After ParameterSet::build.
void add_latent_buffers(ParameterSet& parameters, double scale_factor, int64_t channels);

// The tensor itself; undefined where there are none.
at::Tensor latent_buffer(const ParameterSet& parameters, std::string_view name);

}  // namespace perrin::model
