#include <algorithm>
#include <cmath>
#include <vector>

#include "host/kernels/attention.hpp"

namespace perrin::kernels {
namespace {

// softmax(scale q_i k^T) of one query of one head.
std::vector<double> probabilities(const Attention& a, const float* q, const float* k) {
  std::vector<double> p(static_cast<size_t>(a.keys));
  for (int64_t j = 0; j < a.keys; ++j) {
    for (int64_t c = 0; c < a.head_size; ++c) {
      p[static_cast<size_t>(j)] += a.scale * static_cast<double>(q[c]) * k[j * a.head_size + c];
    }
  }
  const double top = *std::max_element(p.begin(), p.end());
  double total = 0;
  for (double& x : p) total += x = std::exp(x - top);
  for (double& x : p) x /= total;
  return p;
}

}  // namespace

void attention_reference(const Attention& a, const float* q, const float* k, const float* v, float* o) {
  const int64_t d = a.head_size;
  for (int64_t head = 0; head < a.batch * a.heads; ++head) {
    for (int64_t i = head * a.queries; i < (head + 1) * a.queries; ++i) {
      const auto p = probabilities(a, q + i * d, k + head * a.keys * d);
      for (int64_t c = 0; c < d; ++c) {
        double sum = 0;
        for (int64_t j = 0; j < a.keys; ++j) sum += p[static_cast<size_t>(j)] * v[(head * a.keys + j) * d + c];
        o[i * d + c] = static_cast<float>(sum);
      }
    }
  }
}

void attention_backward_reference(const Attention& a, const float* q, const float* k, const float* v,
                                  const float* grad_o, float* dq, float* dk, float* dv) {
  const int64_t d = a.head_size;
  std::vector<double> all_dk(static_cast<size_t>(a.batch * a.heads * a.keys * d)), all_dv(all_dk.size());
  for (int64_t head = 0; head < a.batch * a.heads; ++head) {
    for (int64_t i = head * a.queries; i < (head + 1) * a.queries; ++i) {
      const auto p = probabilities(a, q + i * d, k + head * a.keys * d);
      std::vector<double> dp(p.size()), row(static_cast<size_t>(d));
      double delta = 0;
      for (int64_t j = 0; j < a.keys; ++j) {
        for (int64_t c = 0; c < d; ++c) {
          dp[static_cast<size_t>(j)] += static_cast<double>(grad_o[i * d + c]) * v[(head * a.keys + j) * d + c];
        }
        delta += p[static_cast<size_t>(j)] * dp[static_cast<size_t>(j)];
      }
      for (int64_t j = 0; j < a.keys; ++j) {
        const double ds = a.scale * p[static_cast<size_t>(j)] * (dp[static_cast<size_t>(j)] - delta);
        for (int64_t c = 0; c < d; ++c) {
          const auto at = static_cast<size_t>((head * a.keys + j) * d + c);
          row[static_cast<size_t>(c)] += ds * k[at];
          all_dk[at] += ds * q[i * d + c];
          all_dv[at] += p[static_cast<size_t>(j)] * grad_o[i * d + c];
        }
      }
      for (int64_t c = 0; c < d; ++c) dq[i * d + c] = static_cast<float>(row[static_cast<size_t>(c)]);
    }
  }
  std::copy(all_dk.begin(), all_dk.end(), dk);
  std::copy(all_dv.begin(), all_dv.end(), dv);
}

}  // namespace perrin::kernels
