// A function of images in parts: some samples at a time, tiles of a few pixels at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace first_stage {

using Function = std::function<at::Tensor(const at::Tensor&)>;

// f of at most `n` samples of x [B, ...] at a time; 0: of all at once.
at::Tensor sliced(const at::Tensor& x, int64_t n, const Function& f);

struct Tiles {
  int64_t side;      // pixels of f's input, a multiple of 4 times `down`; 0: no tiles
  int64_t up, down;  // f gives `up` / `down` pixels for one
};

// f of x [B, ..., H, W], H and W multiples of `down`, where they are larger than a tile's side put together from tiles
// of x that overlap by a quarter of a side, or more at the far edge. There each output pixel is the mean of its tiles,
// weighted by the distance to the tile's edge; elsewhere it is its tile's.
at::Tensor tiled(const at::Tensor& x, const Tiles& tiles, const Function& f);

}  // namespace first_stage
