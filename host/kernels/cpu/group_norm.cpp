// One task is one sample (channels last) or one group of one sample (channels first). Both orders are cut into panels:
// `rows` rows of kLanes values `stride` apart, where lane l always is the same channel; so the inner loops have a
// constant length and no per-channel bookkeeping, whatever the number of channels.
#include "host/kernels/group_norm.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "host/base/error.hpp"
#include "host/kernels/cpu/vector_math.hpp"

namespace perrin::kernels {
namespace {

constexpr int kLanes = 32;
constexpr int64_t kFloatRows = 256;  // rows summed in float before the sum goes to double
constexpr int64_t kPivotPixels = 16;

// Per-channel numbers of one sample.
struct Channel {
  double sum = 0, sum2 = 0;  // forward: of x - pivot and its square; backward: of dh and dh (x - mean)
  float pivot = 0;
  float gain = 0, offset = 0;     // h = gain x + offset
  float dx_x = 0, dx_offset = 0;  // dx = gain dh + dx_x x + dx_offset
};

template <int N>
struct Lanes {
  alignas(64) float v[N];
};

template <int N, class Get>
PERRIN_INLINE Lanes<N> gather(const Channel* channel, int64_t period, Get get) {
  Lanes<N> lanes;
  for (int l = 0; l < N; ++l) lanes.v[l] = get(channel[l & (period - 1)]);
  return lanes;
}

// The rows of a panel: value l of row r is at[r * stride + l] and belongs to channel[l % period], period a power of
// two.
struct Rows {
  Channel* channel;
  int64_t period, rows, stride;
};

// Adds the rows that terms(row, a, b) writes (N values each) into the channels' sums: float within kFloatRows rows,
// double beyond. Whole rows, not single values: that is what the compiler vectorises.
template <int N, class Terms>
PERRIN_INLINE void sum_rows(const Rows& p, Terms terms) {
  for (int64_t first = 0; first < p.rows; first += kFloatRows) {
    const int64_t last = std::min(p.rows, first + kFloatRows);
    alignas(64) float sum[N] = {}, sum2[N] = {};
    for (int64_t row = first; row < last; ++row) {
      alignas(64) float a[N], b[N];
      terms(row, a, b);
      for (int l = 0; l < N; ++l) sum[l] += a[l];
      for (int l = 0; l < N; ++l) sum2[l] += b[l];
    }
    for (int l = 0; l < N; ++l) {
      p.channel[l & (p.period - 1)].sum += sum[l];
      p.channel[l & (p.period - 1)].sum2 += sum2[l];
    }
  }
}

// Sums of x - pivot and of its square.
template <int N, class T>
PERRIN_INLINE void moment_rows(const Rows& p, const T* x) {
  const auto pivot = gather<N>(p.channel, p.period, [](const Channel& k) { return k.pivot; });
  sum_rows<N>(p, [&] [[gnu::always_inline]] (int64_t row, float* a, float* b) {
    const T* from = x + row * p.stride;
    for (int l = 0; l < N; ++l) a[l] = load(from + l) - pivot.v[l];
    for (int l = 0; l < N; ++l) b[l] = a[l] * a[l];
  });
}

// y = silu(gain x + offset).
template <int N, class T>
PERRIN_INLINE void activate_rows(const Rows& p, const T* x, T* y, bool silu) {
  const auto gain = gather<N>(p.channel, p.period, [](const Channel& k) { return k.gain; });
  const auto offset = gather<N>(p.channel, p.period, [](const Channel& k) { return k.offset; });
  for (int64_t row = 0; row < p.rows; ++row) {
    const T* from = x + row * p.stride;
    T* to = y + row * p.stride;
    alignas(64) float h[N];
    for (int l = 0; l < N; ++l) h[l] = gain.v[l] * load(from + l) + offset.v[l];
    if (silu) {
      alignas(64) float s[N];
      sigmoid<N>(h, s);
      for (int l = 0; l < N; ++l) h[l] *= s[l];
    }
    for (int l = 0; l < N; ++l) store(to + l, h[l]);
  }
}

// dh = dy silu'(gain x + offset), and the sums of dh and dh (x - pivot).
template <int N, class T>
PERRIN_INLINE void dh_rows(const Rows& p, const T* x, const T* dy, float* dh, bool silu) {
  const auto gain = gather<N>(p.channel, p.period, [](const Channel& k) { return k.gain; });
  const auto offset = gather<N>(p.channel, p.period, [](const Channel& k) { return k.offset; });
  const auto pivot = gather<N>(p.channel, p.period, [](const Channel& k) { return k.pivot; });
  sum_rows<N>(p, [&] [[gnu::always_inline]] (int64_t row, float* a, float* b) {
    const int64_t at = row * p.stride;
    alignas(64) float xs[N];
    for (int l = 0; l < N; ++l) xs[l] = load(x + at + l);
    for (int l = 0; l < N; ++l) a[l] = load(dy + at + l);
    if (silu) {
      alignas(64) float h[N], s[N];
      for (int l = 0; l < N; ++l) h[l] = gain.v[l] * xs[l] + offset.v[l];
      sigmoid<N>(h, s);
      for (int l = 0; l < N; ++l) a[l] *= s[l] * (1.0f + h[l] * (1.0f - s[l]));
    }
    for (int l = 0; l < N; ++l) dh[at + l] = a[l];
    for (int l = 0; l < N; ++l) b[l] = a[l] * (xs[l] - pivot.v[l]);
  });
}

// dx = gain dh + dx_x x + dx_offset.
template <int N, class T>
PERRIN_INLINE void dx_rows(const Rows& p, const T* x, const float* dh, T* dx) {
  const auto gain = gather<N>(p.channel, p.period, [](const Channel& k) { return k.gain; });
  const auto by_x = gather<N>(p.channel, p.period, [](const Channel& k) { return k.dx_x; });
  const auto offset = gather<N>(p.channel, p.period, [](const Channel& k) { return k.dx_offset; });
  for (int64_t row = 0; row < p.rows; ++row) {
    const int64_t at = row * p.stride;
    alignas(64) float d[N];
    for (int l = 0; l < N; ++l) d[l] = gain.v[l] * dh[at + l] + (by_x.v[l] * load(x + at + l) + offset.v[l]);
    for (int l = 0; l < N; ++l) store(dx + at + l, d[l]);
  }
}

struct Moments {
  double mean, variance;
};

// Chan et al. 1983 (parallel variance) over channels of equal count; sums are about each channel's pivot.
PERRIN_INLINE Moments group_moments(const Channel* channel, int64_t channels, int64_t pixels) {
  const double count = static_cast<double>(pixels), per_pixel = 1 / count,
               per_channel = 1 / static_cast<double>(channels);
  double mean = 0, m2 = 0;
  for (int64_t c = 0; c < channels; ++c) mean += channel[c].pivot + channel[c].sum * per_pixel;
  mean *= per_channel;
  for (int64_t c = 0; c < channels; ++c) {
    const double own = channel[c].sum * per_pixel, away = channel[c].pivot + own - mean;
    m2 += std::max(0.0, channel[c].sum2 - channel[c].sum * own) + count * away * away;
  }
  return {mean, m2 * per_pixel * per_channel};
}

PERRIN_INLINE double gain_of(const GroupNorm& norm, int64_t sample, int64_t c) {
  const double weight = norm.weight != nullptr ? norm.weight[c] : 1.0;
  const double scale = norm.scale != nullptr ? norm.scale[sample * norm.channels + c] : 0.0;
  return weight * (1.0 + scale);
}

PERRIN_INLINE void set_affine(const GroupNorm& norm, int64_t sample, int64_t first_channel, int64_t channels,
                              double mean, double rstd, Channel* channel) {
  for (int64_t i = 0; i < channels; ++i) {
    const int64_t c = first_channel + i;
    const double scale = norm.scale != nullptr ? norm.scale[sample * norm.channels + c] : 0.0;
    const double shift = norm.shift != nullptr ? norm.shift[sample * norm.channels + c] : 0.0;
    const double bias = norm.bias != nullptr ? norm.bias[c] : 0.0;
    const double gain = gain_of(norm, sample, c) * rstd;
    channel[i].gain = static_cast<float>(gain);
    channel[i].offset = static_cast<float>(bias * (1.0 + scale) + shift - mean * gain);
  }
}

// The part of one task: `channels` consecutive channels of one sample, whole groups.
struct Slice {
  int64_t sample, first_channel, channels, groups, offset;
};

PERRIN_INLINE Slice slice_of(const GroupNorm& norm, int64_t task) {
  const int64_t group_size = norm.channels / norm.groups, sample_size = norm.channels * norm.pixels;
  if (norm.channels_last) return {task, 0, norm.channels, norm.groups, task * sample_size};
  const int64_t sample = task / norm.groups, group = task % norm.groups;
  return {sample, group * group_size, group_size, 1, sample * sample_size + group * group_size * norm.pixels};
}

// visit(lanes, rows, offset of the first value), lanes an integral_constant.
template <class Visit>
PERRIN_INLINE void for_panels(Channel* channel, int64_t channels, int64_t pixels, Visit visit) {
  using Wide = std::integral_constant<int, kLanes>;
  if (kLanes % channels == 0 && pixels % (kLanes / channels) == 0) {
    visit(Wide(), Rows{channel, channels, pixels * channels / kLanes, kLanes}, int64_t{0});
    return;
  }
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) visit(Wide(), Rows{channel + c, kLanes, pixels, channels}, c);
  for (; c + 16 <= channels; c += 16)
    visit(std::integral_constant<int, 16>(), Rows{channel + c, 16, pixels, channels}, c);
  for (; c + 8 <= channels; c += 8) visit(std::integral_constant<int, 8>(), Rows{channel + c, 8, pixels, channels}, c);
  for (; c < channels; ++c) visit(std::integral_constant<int, 1>(), Rows{channel + c, 1, pixels, channels}, c);
}

// The same for either memory order; channels-first values are cut into rows of kLanes of one channel.
template <class Visit>
PERRIN_INLINE void for_panels(const GroupNorm& norm, const Slice& s, Channel* channel, Visit visit) {
  if (norm.channels_last) return for_panels(channel, s.channels, norm.pixels, visit);
  const int64_t rows = norm.pixels / kLanes, rest = norm.pixels % kLanes;
  for (int64_t c = 0; c < s.channels; ++c) {
    const int64_t offset = c * norm.pixels;
    if (rows > 0) visit(std::integral_constant<int, kLanes>(), Rows{channel + c, 1, rows, kLanes}, offset);
    if (rest > 0) visit(std::integral_constant<int, 1>(), Rows{channel + c, 1, rest, 1}, offset + rows * kLanes);
  }
}

// A channel's mean over a few pixels scattered by the golden ratio: about it the sum of squares loses no digits, also where
// one pixel, such as a corner beside the padding, is unlike the others.
template <class T>
PERRIN_INLINE void set_pivots(const GroupNorm& norm, const T* x, int64_t channels, Channel* channel) {
  const int64_t count = std::min(norm.pixels, kPivotPixels), per_pixel = norm.channels_last ? norm.channels : 1;
  for (int64_t c = 0; c < channels; ++c) channel[c] = {};
  for (int64_t k = 0; k < count; ++k) {
    const uint32_t fraction = static_cast<uint32_t>(k) * 2654435769u;  // of the pixels, in 2^-32
    const auto pixel = static_cast<int64_t>(fraction * static_cast<uint64_t>(norm.pixels) >> 32);
    const T* at = x + pixel * per_pixel;
    for (int64_t c = 0; c < channels; ++c) channel[c].pivot += load(at + (norm.channels_last ? c : c * norm.pixels));
  }
  for (int64_t c = 0; c < channels; ++c) channel[c].pivot /= static_cast<float>(count);
}

template <class T>
struct ForwardKernel {
  PERRIN_INLINE static void run(const GroupNorm* norm, const T* x_all, T* y_all, float* mean, float* rstd, int64_t task,
                                Channel* channel) {
    const Slice s = slice_of(*norm, task);
    const T* x = x_all + s.offset;
    T* y = y_all + s.offset;
    set_pivots(*norm, x, s.channels, channel);
    for_panels(*norm, s, channel, [&] [[gnu::always_inline]] (auto lanes, const Rows& rows, int64_t offset) {
      moment_rows<decltype(lanes)::value>(rows, x + offset);
    });
    const int64_t group_size = s.channels / s.groups;
    for (int64_t g = 0; g < s.groups; ++g) {
      Channel* first = channel + g * group_size;
      const Moments m = group_moments(first, group_size, norm->pixels);
      const double r = 1.0 / std::sqrt(m.variance + norm->eps);
      const int64_t at = s.sample * norm->groups + s.first_channel / group_size + g;
      mean[at] = static_cast<float>(m.mean);
      rstd[at] = static_cast<float>(r);
      set_affine(*norm, s.sample, s.first_channel + g * group_size, group_size, m.mean, r, first);
    }
    for_panels(*norm, s, channel, [&] [[gnu::always_inline]] (auto lanes, const Rows& rows, int64_t offset) {
      activate_rows<decltype(lanes)::value>(rows, x + offset, y + offset, norm->silu);
    });
  }
};

// Sums over one group that dx needs: with a = weight (1 + scale), S1 = sum a dh, S2 = sum a dh (x - mean) rstd.
PERRIN_INLINE void set_dx(const GroupNorm& norm, const Slice& s, int64_t g, double mean, double rstd,
                          Channel* channel) {
  const int64_t group_size = s.channels / s.groups;
  const double count = static_cast<double>(group_size * norm.pixels);
  double s1 = 0, s2 = 0;
  for (int64_t i = 0; i < group_size; ++i) {
    const double a = gain_of(norm, s.sample, s.first_channel + g * group_size + i);
    s1 += a * channel[i].sum;
    s2 += a * channel[i].sum2 * rstd;
  }
  const double dx_x = -rstd * rstd * s2 / count;
  for (int64_t i = 0; i < group_size; ++i) {
    channel[i].dx_x = static_cast<float>(dx_x);
    channel[i].dx_offset = static_cast<float>(-rstd * s1 / count - mean * dx_x);
  }
}

// sums: (batch, channels, 2), sum dh and sum dh (x - mean) rstd; the gradients of all parameters are made of them.
template <class T>
struct BackwardKernel {
  PERRIN_INLINE static void run(const GroupNorm* norm, const T* x_all, const T* dy_all, const float* mean,
                                const float* rstd, T* dx_all, double* sums, int64_t task, Channel* channel, float* dh) {
    const Slice s = slice_of(*norm, task);
    const T* x = x_all + s.offset;
    const T* dy = dy_all + s.offset;
    T* dx = dx_all + s.offset;
    const int64_t group_size = s.channels / s.groups;
    const int64_t first_group = s.sample * norm->groups + s.first_channel / group_size;
    for (int64_t g = 0; g < s.groups; ++g) {
      Channel* first = channel + g * group_size;
      std::fill_n(first, group_size, Channel{});
      set_affine(*norm, s.sample, s.first_channel + g * group_size, group_size, mean[first_group + g],
                 rstd[first_group + g], first);
      for (int64_t i = 0; i < group_size; ++i) first[i].pivot = mean[first_group + g];
    }
    for_panels(*norm, s, channel, [&] [[gnu::always_inline]] (auto lanes, const Rows& rows, int64_t offset) {
      dh_rows<decltype(lanes)::value>(rows, x + offset, dy + offset, dh + offset, norm->silu);
    });
    for (int64_t g = 0; g < s.groups; ++g) {
      set_dx(*norm, s, g, mean[first_group + g], rstd[first_group + g], channel + g * group_size);
    }
    for (int64_t c = 0; c < s.channels; ++c) {
      double* to = sums + 2 * (s.sample * norm->channels + s.first_channel + c);
      to[0] = channel[c].sum;
      to[1] = channel[c].sum2 * rstd[first_group + c / group_size];
    }
    for_panels(*norm, s, channel, [&] [[gnu::always_inline]] (auto lanes, const Rows& rows, int64_t offset) {
      dx_rows<decltype(lanes)::value>(rows, x + offset, dh + offset, dx + offset);
    });
  }
};

void check(const GroupNorm& norm) {
  if (norm.groups <= 0 || norm.channels % norm.groups != 0) {
    throw Error("group_norm: " + std::to_string(norm.groups) + " groups do not divide " +
                std::to_string(norm.channels) + " channels");
  }
}

int64_t tasks_of(const GroupNorm& norm) { return norm.channels_last ? norm.batch : norm.batch * norm.groups; }

int64_t channels_per_task(const GroupNorm& norm) {
  return norm.channels_last ? norm.channels : norm.channels / norm.groups;
}

// Parameter gradients from sums (batch, channels, 2), samples added in order.
void parameter_gradients(const GroupNorm& norm, const double* sums, const GroupNormGradients& gradients) {
  for (int64_t c = 0; c < norm.channels; ++c) {
    double dweight = 0, dbias = 0;
    for (int64_t n = 0; n < norm.batch; ++n) {
      const int64_t at = n * norm.channels + c;
      const double s1 = sums[2 * at], s2 = sums[2 * at + 1];
      const double scale = norm.scale != nullptr ? norm.scale[at] : 0.0;
      const double weight = norm.weight != nullptr ? norm.weight[c] : 1.0;
      const double bias = norm.bias != nullptr ? norm.bias[c] : 0.0;
      dweight += (1.0 + scale) * s2;
      dbias += (1.0 + scale) * s1;
      if (gradients.scale != nullptr) gradients.scale[at] = static_cast<float>(weight * s2 + bias * s1);
      if (gradients.shift != nullptr) gradients.shift[at] = static_cast<float>(s1);
    }
    if (gradients.weight != nullptr) gradients.weight[c] = static_cast<float>(dweight);
    if (gradients.bias != nullptr) gradients.bias[c] = static_cast<float>(dbias);
  }
}

}  // namespace

template <class T>
void group_norm_forward(const GroupNorm& norm, const T* x, T* y, float* mean, float* rstd,
                        const ParallelFor& parallel) {
  check(norm);
  parallel(tasks_of(norm), 1, [&](int64_t begin, int64_t end) {
    std::vector<Channel> channel(static_cast<size_t>(channels_per_task(norm)));
    for (int64_t task = begin; task < end; ++task) {
      dispatch<ForwardKernel<T>>(&norm, x, y, mean, rstd, task, channel.data());
    }
  });
}

template <class T>
void group_norm_backward(const GroupNorm& norm, const T* x, const T* dy, const float* mean, const float* rstd, T* dx,
                         const GroupNormGradients& gradients, const ParallelFor& parallel) {
  check(norm);
  std::vector<double> sums(static_cast<size_t>(2 * norm.batch * norm.channels));
  parallel(tasks_of(norm), 1, [&](int64_t begin, int64_t end) {
    const int64_t channels = channels_per_task(norm);
    std::vector<Channel> channel(static_cast<size_t>(channels));
    const std::unique_ptr<float[]> dh(new float[static_cast<size_t>(channels * norm.pixels)]);
    for (int64_t task = begin; task < end; ++task) {
      dispatch<BackwardKernel<T>>(&norm, x, dy, mean, rstd, dx, sums.data(), task, channel.data(), dh.get());
    }
  });
  parameter_gradients(norm, sums.data(), gradients);
}

template void group_norm_forward(const GroupNorm&, const float*, float*, float*, float*, const ParallelFor&);
template void group_norm_forward(const GroupNorm&, const Bfloat16*, Bfloat16*, float*, float*, const ParallelFor&);
template void group_norm_backward(const GroupNorm&, const float*, const float*, const float*, const float*, float*,
                                  const GroupNormGradients&, const ParallelFor&);
template void group_norm_backward(const GroupNorm&, const Bfloat16*, const Bfloat16*, const float*, const float*,
                                  Bfloat16*, const GroupNormGradients&, const ParallelFor&);

}  // namespace perrin::kernels
