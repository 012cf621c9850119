// The kernels as LibTorch operators. Callable from C++ through c10::Dispatcher and from plugins through op_call:
//
//   perrin::group_norm_silu(Tensor x, int groups, Tensor? weight=None, Tensor? bias=None, Tensor? scale=None,
//                           Tensor? shift=None, float eps=1e-05, bool silu=True) -> Tensor
//     x (N, C, ...), scale and shift (N, C). See group_norm.hpp for the formula. Any memory order of x is accepted and
//     kept when it is contiguous or channels-last. float32 and bfloat16 on CPU take the fused kernel (statistics in
//     float32; the saved state is x, mean and rstd); every other dtype and device takes a composition of ATen
//     operators, differentiable any number of times. The fused kernel is differentiable once: a backward with
//     create_graph=True is an error that says so. Under autocast a bfloat16 x stays bfloat16.
//
//   perrin::attention(Tensor q, Tensor k, Tensor v, float? scale=None) -> Tensor
//     softmax(scale q k^T) v with q (N, H, Lq, D), k and v (N, H, Lk, D); scale defaults to 1 / sqrt(D). The result is
//     (N, H, Lq, D) over (N, Lq, H, D) memory, so that merging the heads is free. The fused CPU kernel takes bfloat16,
//     and float32 with heads of at most 32 or at most 64 keys, D a multiple of 8; it is differentiable once. float64 is
//     a composition of matmul and softmax, everything else at::scaled_dot_product_attention.
//
//   perrin::conv2d(Tensor x, Tensor weight, Tensor? bias=None, int stride=1, int padding=0) -> Tensor
//     at::conv2d, faster where it can be: channels-last float32 3x3 convolutions of stride 1, padding 1 and channels in
//     multiples of 16 on CPU by Winograd's F(2x2, 3x3), differentiable once; channels-last 1x1 convolutions of stride 1
//     as one matrix product. Everything else, autocast included, is at::conv2d itself.
#pragma once

#include "host/kernels/parallel.hpp"

namespace perrin::kernels {

// Makes the perrin:: operators known. Call before the first look-up; further calls do nothing.
void register_operators();

// LibTorch's intra-op threads, for the pure kernels.
const ParallelFor& torch_threads();

}  // namespace perrin::kernels
