// metrics/ on values worked by hand.
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "metrics/reconstruction.hpp"
#include "metrics/retrieval.hpp"

namespace perrin::metrics {
namespace {

TEST(Reconstruction, IsMeasuredByHand) {
  // Differences 0.5, -0.5, 0, 0: l1 0.25, mse 0.125, psnr 10 log10(4 / 0.125) = 10 log10 32.
  const at::Tensor x = at::tensor({0.5, -0.5, 1.0, -1.0}).view({1, 1, 2, 2}),
                   y = at::tensor({0.0, 0.0, 1.0, -1.0}).view({1, 1, 2, 2});
  const Reconstruction r = reconstruction(x, y);
  EXPECT_DOUBLE_EQ(r.l1.item<double>(), 0.25);
  EXPECT_DOUBLE_EQ(r.mse.item<double>(), 0.125);
  EXPECT_NEAR(r.psnr.item<double>(), 10 * std::log10(32.0), 1e-12);
  EXPECT_TRUE(std::isinf(reconstruction(x, x).psnr.item<double>()));
}

// skimage.metrics.peak_signal_noise_ratio (scikit-image 0.26.0) of the pictures round((clip(v, -1, 1) + 1) 127.5),
// uint8.
TEST(Reconstruction, PsnrOfPicturesIsThatOfScikitImage) {
  const at::Tensor i = at::arange(48, at::kDouble).view({1, 3, 4, 4});
  const at::Tensor x = i.sin(), y = i.sin().mul(1.4).add(i.mul(3).cos(), 0.05);
  const Reconstruction r = reconstruction(x, y);
  EXPECT_NEAR(r.psnr_8bit.item<double>(), 22.530989670476064, 1e-9);
  EXPECT_NEAR(r.psnr.item<double>(), 17.00269899592224, 1e-9) << "of the numbers as they are";
}

TEST(Retrieval, RecallCountsQueriesThatFindTheirKind) {
  // Items along the axes and a diagonal; the first query's nearest is of another kind, its second of its own.
  const at::Tensor items = at::tensor({3.0, 0.0, 0.0, 1.0, 1.0, 1.0}).view({3, 2}), kinds = at::tensor({1, 0, 0});
  const at::Tensor queries = at::tensor({1.0, 0.1, 0.0, 5.0}).view({2, 2}), wanted = at::tensor({0, 0});
  EXPECT_DOUBLE_EQ(recall_at(1, queries, items, wanted, kinds), 0.5);
  EXPECT_DOUBLE_EQ(recall_at(2, queries, items, wanted, kinds), 1);
  EXPECT_DOUBLE_EQ(recall_at(9, queries, items, at::tensor({7, 0}), kinds), 0.5) << "a kind that no item has";
}

TEST(Retrieval, TopOneAndUnitRows) {
  const at::Tensor scores = at::tensor({0.1, 0.9, 0.8, 0.2}).view({2, 2});
  EXPECT_DOUBLE_EQ(top1(scores, at::tensor({1, 1})), 0.5);
  EXPECT_TRUE(unit_rows(at::zeros({1, 3})).equal(at::zeros({1, 3})));
  EXPECT_NEAR(unit_rows(at::tensor({3.0, 4.0}).view({1, 2}))[0][1].item<double>(), 0.8, 1e-12);
}

}  // namespace
}  // namespace perrin::metrics
