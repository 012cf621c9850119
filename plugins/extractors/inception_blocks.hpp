// What Inception v3 is built from: convolutions with frozen statistics, in branches beside each other.
#pragma once

#include <perrin/cpp/extractor.hpp>

namespace inception {

// Height and width, of a kernel or of its padding.
struct Size {
  int64_t height = 1, width = 1;
};

// Without bias, then batch normalisation by the file's statistics (1502.03167, algorithm 2, eps 0.001), then a
// rectifier.
class Convolution {
 public:
  struct Shape {
    std::string name;  // after the block's: "branch3x3_1"
    int64_t channels;
    Size kernel = {};
    Size padding = {0, 0};
    int64_t stride = 1;
  };
  Convolution(perrin::Parameters& p, const std::string& block, int64_t in, const Shape& shape);
  // [B, in, H, W] -> [B, channels, H', W'].
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Shape shape_;
  const at::Tensor *weight_, *scale_, *shift_, *mean_, *variance_;
};

enum class Pool { none, average, average_inside, largest, halving };  // 3 x 3; average_inside: of what is no padding

at::Tensor pooled(const at::Tensor& x, Pool pool);

// A pooling, then convolutions one after the other; of `fork` the last convolutions stand beside each other.
struct Branch {
  Pool pool = Pool::none;
  std::vector<Convolution> chain, fork;
  at::Tensor operator()(const at::Tensor& x) const;
};

// Branches beside each other, their channels joined.
struct Block {
  std::vector<Branch> branches;
  int64_t channels = 0;
  at::Tensor operator()(const at::Tensor& x) const;
};

// The blocks of 1512.00567, figures 5, 10, 6, 10 and 7, as torchvision names their parts. `average`: of 3 x 3.
struct Plan {
  perrin::Parameters& p;
  Pool average;
};
Block a(const Plan& plan, const std::string& name, int64_t in, int64_t pool_channels);
Block b(const Plan& plan, const std::string& name, int64_t in);
Block c(const Plan& plan, const std::string& name, int64_t in, int64_t inner);
Block d(const Plan& plan, const std::string& name, int64_t in);
Block e(const Plan& plan, const std::string& name, int64_t in);

}  // namespace inception
