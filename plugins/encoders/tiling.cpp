#include "tiling.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

namespace first_stage {

namespace {

// One axis of the output: where its tiles lie, and what each pixel of theirs weighs. The weights of a pixel sum to one.
struct Axis {
  std::vector<int64_t> first;       // pixel of the input
  std::vector<at::Tensor> weights;  // [side, of the output]
  int64_t side, size;               // of the input, of the output
};

// Rising to one over `overlap` pixels where the tile has a neighbour before it, falling where it has one after it.
at::Tensor window(int64_t side, int64_t overlap, bool before, bool after) {
  const at::Tensor w = at::ones({side}, at::kFloat);
  float* p = w.mutable_data_ptr<float>();
  for (int64_t i = 0; i < overlap; ++i) {
    const float ramp = (static_cast<float>(i) + 0.5F) / static_cast<float>(overlap);
    if (before) p[i] = ramp;
    if (after) p[side - 1 - i] = std::min(p[side - 1 - i], ramp);
  }
  return w;
}

Axis axis(int64_t length, const Tiles& t) {
  Axis a;
  a.side = std::min(t.side, length);
  const auto out = [&](int64_t pixels) { return pixels * t.up / t.down; };
  a.size = out(length);
  const int64_t overlap = t.side / 4;
  for (int64_t first = 0; first + a.side < length; first += t.side - overlap) a.first.push_back(first);
  a.first.push_back(length - a.side);
  const at::Tensor total = at::zeros({a.size}, at::kFloat);
  for (size_t i = 0; i < a.first.size(); ++i) {
    a.weights.push_back(window(out(a.side), out(overlap), i > 0, i + 1 < a.first.size()));
    total.narrow(0, out(a.first[i]), out(a.side)).add_(a.weights[i]);
  }
  for (size_t i = 0; i < a.first.size(); ++i) a.weights[i].div_(total.narrow(0, out(a.first[i]), out(a.side)));
  return a;
}

}  // namespace

at::Tensor sliced(const at::Tensor& x, int64_t n, const Function& f) {
  if (n == 0 || x.size(0) <= n) return f(x);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : x.split(n)) parts.push_back(f(part));
  return at::cat(parts);
}

at::Tensor tiled(const at::Tensor& x, const Tiles& t, const Function& f) {
  if (t.side == 0 || (x.size(-1) <= t.side && x.size(-2) <= t.side)) return f(x);
  const Axis rows = axis(x.size(-2), t), columns = axis(x.size(-1), t);
  at::Tensor y;
  for (size_t i = 0; i < rows.first.size(); ++i)
    for (size_t j = 0; j < columns.first.size(); ++j) {
      const at::Tensor tile = f(x.narrow(-2, rows.first[i], rows.side).narrow(-1, columns.first[j], columns.side));
      if (!y.defined()) {
        std::vector<int64_t> sizes = tile.sizes().vec();
        sizes[sizes.size() - 2] = rows.size, sizes[sizes.size() - 1] = columns.size;
        y = at::zeros(sizes, tile.options().memory_format(tile.suggest_memory_format()));
      }
      const at::Tensor weights = rows.weights[i].unsqueeze(1).mul(columns.weights[j]).to(tile.options());
      y.narrow(-2, rows.first[i] * t.up / t.down, tile.size(-2))
          .narrow(-1, columns.first[j] * t.up / t.down, tile.size(-1))
          .add_(tile.mul(weights));
    }
  return y;
}

}  // namespace first_stage
