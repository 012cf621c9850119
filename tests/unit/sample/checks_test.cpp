// Samples that are not finite, of another shape, batch or type are an error that names the component that gave them.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "host/sample/generate.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

using test::compose;
using test::kImages;
using test::kPoints;
using test::message_of;

constexpr const char* kLyingPoints =
    "[dataset]\nuse='gaussian-mixture'\ncount=100\n[denoiser]\nuse='test.lying-denoiser'\n";
constexpr const char* kImagesOfNone =
    "[dataset]\nuse='gaussian-mixture'\nshape=[1,8,8]\n[denoiser]\nuse='test.lying-denoiser'\nhow='none'\n"
    "[encoder]\nuse='test.lying-encoder'\n[samples]\ncount=4\ncolumns=2\n";

std::string complaint_of(const std::vector<std::string>& set, const char* text = kPoints) {
  auto with = set;
  with.push_back("sampler.steps=4");
  const auto c = compose(text, with, false);
  Request r;
  r.count = 3;
  r.batch_size = 2;
  return message_of([&] { generate(*c, r); });
}

void expect_parts(const std::string& message, std::initializer_list<const char*> parts) {
  for (const char* part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "\"" << part << "\" in:\n" << message;
}

TEST(SamplesAreChecked, TheSamplerIsNamed) {
  const std::pair<const char*, const char*> rows[] = {
      {"nan", "gave a result of which 4 of 4 values are NaN or infinite"},
      {"inf", "gave a result of which 4 of 4 values are NaN or infinite"},
      {"once", "gave a result of which 4 of 4 values are NaN or infinite"},
      {"shape", "gave a result of shape [2, 1] in place of [2, 2]"},
      {"batch", "gave a result of shape [1, 2] in place of [2, 2]"},
      {"double", "gave a result of dtype Double in place of Float"},
      {"asks nan", "what is to be denoised is not finite at t = 999: 4 of 4 values"},
      {"asks batch", "what is to be denoised has the shape [1, 2] and not [2, 2]"},
      {"level", "the noise level that was asked for is none: t = nan, alpha = 1, sigma = -1"},
      {"weight", "a weight of a linear combination is not finite"},
      {"brownian", "the noise level that was asked for is none: t = 0, alpha = nan, sigma = 1"},
      {"time", "the log SNR that was asked for is NaN"}};
  for (const auto& [how, what] : rows)
    expect_parts(complaint_of({"sampler={use='test.lying-sampler', how='" + std::string(how) + "'}"}),
                 {what, "test.lying-sampler"});
}

// Under a sampler of the library, an adaptive one too, whose step sizes would end first.
TEST(SamplesAreChecked, WhatIsNotFiniteFirstIsNamed) {
  for (const char* sampler : {"ddim", "heun", "dpm-adaptive", "dopri5"}) {
    const std::string by = "sampler.use='" + std::string(sampler) + "'";
    for (const char* how : {"nan", "inf"}) {
      const std::string as = ".how='" + std::string(how) + "'";
      expect_parts(complaint_of({by, "guidance.use='test.lying-guidance'", "guidance" + as}),
                   {"gave a guided prediction of which ", "values are NaN or infinite", "test.lying-guidance"});
      expect_parts(complaint_of({by, "denoiser" + as}, kLyingPoints),
                   {"gave a prediction of which ", "values are NaN or infinite", "test.lying-denoiser"});
    }
    expect_parts(complaint_of({by, "parameterization.use='test.lying-parameterization'"}),
                 {"gave coefficients that are not finite at t = ", "c_out nan", "test.lying-parameterization"});
  }
}

TEST(SamplesAreChecked, ShapesOnTheWayAreTheComponents) {
  const std::pair<const char*, const char*> rows[] = {{"shape", " of shape [2, 1] in place of [2, 2]"},
                                                      {"batch", " of shape [1, 2] in place of [2, 2]"}};
  for (const auto& [how, what] : rows) {
    const std::string as = "how='" + std::string(how) + "'";
    expect_parts(complaint_of({"guidance={use='test.lying-guidance', " + as + "}"}), {what, "test.lying-guidance"});
    expect_parts(complaint_of({"denoiser." + as}, kLyingPoints), {what, "test.lying-denoiser"});
  }
  expect_parts(complaint_of({"guidance={use='test.lying-guidance', how='double'}"}),
               {"gave a guided prediction of dtype Double in place of Float", "test.lying-guidance"});
}

TEST(SamplesAreChecked, TheEncoderIsNamed) {
  for (const char* how : {"nan", "inf"})
    expect_parts(complaint_of({"encoder.how='" + std::string(how) + "'"}, kImagesOfNone),
                 {"gave a x of which 128 of 128 values are NaN or infinite", "test.lying-encoder"});
  expect_parts(complaint_of({"encoder.how='batch'"}, kImagesOfNone),
               {"gave a x of shape [1, 1, 8, 8] in place of [2, 1, 8, 8]", "test.lying-encoder"});
  const auto broken = compose(kImagesOfNone, {"encoder.how='nan'"}, false),
             blind = compose(kImagesOfNone, {"encoder.how='encode'"}, false);
  expect_parts(message_of([&] { reconstructions(*broken); }), {"gave a x of which ", "test.lying-encoder"});
  expect_parts(message_of([&] { reconstructions(*blind); }), {"gave a z of which ", "test.lying-encoder"});
  expect_parts(message_of([&] { first_samples(*blind, 3, 2); }), {"gave a z of which ", "test.lying-encoder"});
}

TEST(SamplesAreChecked, WhatWasGivenIsNot) {
  const auto c = compose(kPoints, {"sampler.steps=4"}, false);
  Request r;
  r.count = 2;
  const at::Tensor nan = at::full({2, 2}, std::numeric_limits<double>::quiet_NaN(), at::TensorOptions(at::kFloat));
  r.start = nan;
  expect_parts(message_of([&] { generate(*c, r); }),
               {"what sampling was to start at is not finite: 4 of 4 values are NaN or infinite"});
  r.start = at::Tensor();
  r.conditions["vector"] = nan;
  expect_parts(message_of([&] { generate(*c, r); }), {"the condition \"vector\" is not finite: 4 of 4 values"});
}

TEST(SamplesAreChecked, NothingThatIsNotFiniteIsDrawn) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    at::Tensor points = at::zeros({3, 2}), images = at::zeros({2, 3, 4, 4});
    picture(points, 2), picture(images, 2);
    points[1][0].fill_(bad), images[1][2][0][3].fill_(bad);
    for (const at::Tensor& samples : {points, images})
      expect_parts(message_of([&] { picture(samples, 2); }), {"not finite make no picture"});
  }
}

}  // namespace
}  // namespace perrin::sample
