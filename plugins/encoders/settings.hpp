// The keys of every convolutional first stage, and what its blocks need to know of them.
#pragma once

#include <perrin/cpp/checkpoint.hpp>

#include "resampling.hpp"

namespace first_stage {

std::vector<perrin::Key> keys();

struct Settings {
  // Failure(PERRIN_INVALID_CONFIG) for values that do not fit together.
  explicit Settings(const perrin::Config& config);

  int64_t levels() const { return static_cast<int64_t>(channels.size()); }
  int64_t factor() const { return int64_t{1} << (levels() - 1); }  // of height and width
  int64_t time_factor() const { return int64_t{1} << temporal; }
  bool attends(int64_t height) const;  // a level of this height

  std::vector<int64_t> channels;   // per level, the finest first
  std::vector<int64_t> attention;  // heights of the levels with attention
  int64_t blocks, groups, latent_channels;
  int64_t temporal;  // the finest so many changes of resolution are of time too
  int64_t tile, slice;
  bool mid_attention, quant_conv, gradient_checkpointing;
  double dropout, stochastic_depth;
  Down downsample;
  Up upsample;
  std::string weights;
};

// What a block is built from.
struct Plan {
  perrin::Parameters& p;
  const Settings& settings;
  uint64_t draws = 0;  // layers so far that draw random numbers
};

// What every block of one call is told beside the image.
struct Context {
  std::shared_ptr<const perrin::Draws> draws;  // of the samples; null outside training
  bool checkpoint;
  int64_t frames = 1;  // of a sample, at this level

  // part(inputs), computed again for the gradient if checkpointing is on.
  template <class Part>
  at::Tensor run(const Part& part, const std::vector<at::Tensor>& inputs) const {
    return checkpoint ? perrin::checkpoint(part, inputs) : part(inputs);
  }
  // The draws of the frames, numbered through: null outside training.
  std::shared_ptr<const perrin::Draws> frame_draws() const;
};

}  // namespace first_stage
