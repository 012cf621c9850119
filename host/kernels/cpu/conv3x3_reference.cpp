#include <vector>

#include "host/kernels/conv3x3.hpp"

namespace perrin::kernels {
namespace {

// visit(output pixel, input pixel, ky, kx) for every pair that a 3x3 kernel joins; pixels counted over the whole batch.
template <class Visit>
void for_taps(const Conv3x3& s, Visit visit) {
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t y = 0; y < s.height; ++y) {
      for (int64_t x = 0; x < s.width; ++x) {
        for (int64_t ky = 0; ky < 3; ++ky) {
          for (int64_t kx = 0; kx < 3; ++kx) {
            const int64_t iy = y + ky - 1, ix = x + kx - 1;
            if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
            visit((n * s.height + y) * s.width + x, (n * s.height + iy) * s.width + ix, ky, kx);
          }
        }
      }
    }
  }
}

}  // namespace

void conv3x3_reference(const Conv3x3& s, const float* x, const KernelView<const float>& w, const float* bias,
                       float* y) {
  std::vector<double> sum(static_cast<size_t>(s.batch * s.height * s.width * s.out));
  for_taps(s, [&](int64_t to, int64_t from, int64_t ky, int64_t kx) {
    for (int64_t o = 0; o < s.out; ++o) {
      const float* weight = w.data + o * w.out + ky * w.row + kx * w.column;
      for (int64_t i = 0; i < s.in; ++i) {
        sum[static_cast<size_t>(to * s.out + o)] += static_cast<double>(x[from * s.in + i]) * weight[i * w.in];
      }
    }
  });
  for (size_t j = 0; j < sum.size(); ++j) {
    y[j] = static_cast<float>(sum[j] + (bias != nullptr ? bias[j % static_cast<size_t>(s.out)] : 0.0f));
  }
}

void conv3x3_weight_gradient_reference(const Conv3x3& s, const float* x, const float* dy, const KernelView<float>& dw,
                                       float* dbias) {
  std::vector<double> sum(static_cast<size_t>(9 * s.in * s.out)), bias(static_cast<size_t>(s.out));
  for_taps(s, [&](int64_t to, int64_t from, int64_t ky, int64_t kx) {
    for (int64_t o = 0; o < s.out; ++o) {
      for (int64_t i = 0; i < s.in; ++i) {
        sum[static_cast<size_t>(((ky * 3 + kx) * s.in + i) * s.out + o)] +=
            static_cast<double>(x[from * s.in + i]) * dy[to * s.out + o];
      }
      if (ky == 1 && kx == 1) bias[static_cast<size_t>(o)] += dy[to * s.out + o];
    }
  });
  for (int64_t k = 0; k < 9; ++k) {
    for (int64_t i = 0; i < s.in; ++i) {
      for (int64_t o = 0; o < s.out; ++o) {
        dw.data[o * dw.out + i * dw.in + k / 3 * dw.row + k % 3 * dw.column] =
            static_cast<float>(sum[static_cast<size_t>((k * s.in + i) * s.out + o)]);
      }
    }
  }
  for (int64_t o = 0; o < s.out && dbias != nullptr; ++o) dbias[o] = static_cast<float>(bias[static_cast<size_t>(o)]);
}

}  // namespace perrin::kernels
