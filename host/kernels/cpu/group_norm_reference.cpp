#include <cmath>
#include <vector>

#include "host/kernels/group_norm.hpp"

namespace perrin::kernels {
namespace {

struct At {
  const GroupNorm& norm;
  int64_t operator()(int64_t n, int64_t c, int64_t p) const {
    return norm.channels_last ? (n * norm.pixels + p) * norm.channels + c : (n * norm.channels + c) * norm.pixels + p;
  }
};

struct Affine {
  double weight, bias, scale, shift;
};

Affine affine(const GroupNorm& norm, int64_t n, int64_t c) {
  const int64_t at = n * norm.channels + c;
  return {norm.weight ? norm.weight[c] : 1.0, norm.bias ? norm.bias[c] : 0.0, norm.scale ? norm.scale[at] : 0.0,
          norm.shift ? norm.shift[at] : 0.0};
}

// (x - mean) rstd of every element, in double; mean and rstd may be null.
std::vector<double> normalised(const GroupNorm& norm, const float* x, float* mean_out, float* rstd_out,
                               std::vector<double>* rstds) {
  const At at{norm};
  const int64_t size = norm.channels / norm.groups;
  std::vector<double> result(static_cast<size_t>(norm.batch * norm.channels * norm.pixels));
  for (int64_t n = 0; n < norm.batch; ++n) {
    for (int64_t g = 0; g < norm.groups; ++g) {
      double mean = 0, variance = 0;
      const double count = static_cast<double>(size * norm.pixels);
      for (int64_t c = g * size; c < (g + 1) * size; ++c) {
        for (int64_t p = 0; p < norm.pixels; ++p) mean += x[at(n, c, p)] / count;
      }
      for (int64_t c = g * size; c < (g + 1) * size; ++c) {
        for (int64_t p = 0; p < norm.pixels; ++p) variance += std::pow(x[at(n, c, p)] - mean, 2) / count;
      }
      const double rstd = 1 / std::sqrt(variance + norm.eps);
      if (mean_out != nullptr) mean_out[n * norm.groups + g] = static_cast<float>(mean);
      if (rstd_out != nullptr) rstd_out[n * norm.groups + g] = static_cast<float>(rstd);
      if (rstds != nullptr) rstds->push_back(rstd);
      for (int64_t c = g * size; c < (g + 1) * size; ++c) {
        for (int64_t p = 0; p < norm.pixels; ++p) {
          result[static_cast<size_t>(at(n, c, p))] = (x[at(n, c, p)] - mean) * rstd;
        }
      }
    }
  }
  return result;
}

}  // namespace

void group_norm_forward_reference(const GroupNorm& norm, const float* x, float* y, float* mean, float* rstd) {
  const auto xhat = normalised(norm, x, mean, rstd, nullptr);
  for (int64_t n = 0; n < norm.batch; ++n) {
    for (int64_t c = 0; c < norm.channels; ++c) {
      const Affine a = affine(norm, n, c);
      for (int64_t p = 0; p < norm.pixels; ++p) {
        const int64_t i = At{norm}(n, c, p);
        const double h = (xhat[static_cast<size_t>(i)] * a.weight + a.bias) * (1 + a.scale) + a.shift;
        y[i] = static_cast<float>(norm.silu ? h / (1 + std::exp(-h)) : h);
      }
    }
  }
}

void group_norm_backward_reference(const GroupNorm& norm, const float* x, const float* dy, float* dx,
                                   const GroupNormGradients& gradients) {
  std::vector<double> rstd;
  const auto xhat = normalised(norm, x, nullptr, nullptr, &rstd);
  std::vector<double> dxhat(xhat.size()), dweight(static_cast<size_t>(norm.channels)), dbias(dweight.size());
  for (int64_t n = 0; n < norm.batch; ++n) {
    for (int64_t c = 0; c < norm.channels; ++c) {
      const Affine a = affine(norm, n, c);
      double dscale = 0, dshift = 0;
      for (int64_t p = 0; p < norm.pixels; ++p) {
        const auto i = static_cast<size_t>(At{norm}(n, c, p));
        const double u = xhat[i] * a.weight + a.bias, h = u * (1 + a.scale) + a.shift, s = 1 / (1 + std::exp(-h));
        const double dh = dy[i] * (norm.silu ? s * (1 + h * (1 - s)) : 1.0);
        dscale += dh * u, dshift += dh;
        dweight[static_cast<size_t>(c)] += dh * (1 + a.scale) * xhat[i];
        dbias[static_cast<size_t>(c)] += dh * (1 + a.scale);
        dxhat[i] = dh * (1 + a.scale) * a.weight;
      }
      if (gradients.scale != nullptr) gradients.scale[n * norm.channels + c] = static_cast<float>(dscale);
      if (gradients.shift != nullptr) gradients.shift[n * norm.channels + c] = static_cast<float>(dshift);
    }
  }
  for (size_t c = 0; c < dweight.size(); ++c) {
    if (gradients.weight != nullptr) gradients.weight[c] = static_cast<float>(dweight[c]);
    if (gradients.bias != nullptr) gradients.bias[c] = static_cast<float>(dbias[c]);
  }
  const int64_t size = norm.channels / norm.groups;
  const double count = static_cast<double>(size * norm.pixels);
  for (int64_t n = 0; n < norm.batch; ++n) {
    for (int64_t c0 = 0; c0 < norm.channels; c0 += size) {
      double mean_d = 0, mean_dx = 0;
      for (int64_t c = c0; c < c0 + size; ++c) {
        for (int64_t p = 0; p < norm.pixels; ++p) {
          const auto i = static_cast<size_t>(At{norm}(n, c, p));
          mean_d += dxhat[i] / count, mean_dx += dxhat[i] * xhat[i] / count;
        }
      }
      for (int64_t c = c0; c < c0 + size; ++c) {
        for (int64_t p = 0; p < norm.pixels; ++p) {
          const auto i = static_cast<size_t>(At{norm}(n, c, p));
          dx[i] = static_cast<float>(rstd[static_cast<size_t>(n * norm.groups + c0 / size)] *
                                     (dxhat[i] - mean_d - xhat[i] * mean_dx));
        }
      }
    }
  }
}

}  // namespace perrin::kernels
