// Samples that are not finite, of another shape, batch or type are an error that names the component that gave them.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "host/sample/generate.hpp"
#include "tests/unit/run/composition.hpp"

namespace perrin::sample {
namespace {

using run::test::compose;
using run::test::kImages;
using run::test::kPoints;
using run::test::message_of;

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
  const char* const rows[] = {"nan",        "inf",   "shape",  "batch",    "double", "asks nan",
                              "asks batch", "level", "weight", "brownian", "time",   "once"};
  for (const char* how : rows)
    expect_parts(complaint_of({"sampler={use='test.lying-sampler', how='" + std::string(how) + "'}"}),
                 {"\"test.lying-sampler\""});
}

// Under a sampler of the library, an adaptive one too, whose step sizes would end first.
TEST(SamplesAreChecked, WhatIsNotFiniteFirstIsNamed) {
  for (const char* sampler : {"ddim", "heun", "dpm-adaptive", "dopri5"}) {
    const std::string by = "sampler.use='" + std::string(sampler) + "'";
    for (const char* how : {"nan", "inf"}) {
      const std::string as = ".how='" + std::string(how) + "'";
      expect_parts(complaint_of({by, "guidance.use='test.lying-guidance'", "guidance" + as}),
                   {"\"test.lying-guidance\""});
      expect_parts(complaint_of({by, "denoiser" + as}, kLyingPoints), {"\"test.lying-denoiser\""});
    }
    expect_parts(complaint_of({by, "parameterization.use='test.lying-parameterization'"}),
                 {"\"test.lying-parameterization\""});
  }
}

TEST(SamplesAreChecked, ShapesOnTheWayAreTheComponents) {
  for (const char* how : {"shape", "batch", "double"})
    expect_parts(complaint_of({"guidance={use='test.lying-guidance', how='" + std::string(how) + "'}"}),
                 {"\"test.lying-guidance\""});
  for (const char* how : {"shape", "batch"})
    expect_parts(complaint_of({"denoiser.how='" + std::string(how) + "'"}, kLyingPoints), {"\"test.lying-denoiser\""});
}

TEST(SamplesAreChecked, TheEncoderIsNamed) {
  for (const char* how : {"nan", "inf"})
    expect_parts(complaint_of({"encoder.how='" + std::string(how) + "'"}, kImagesOfNone), {"\"test.lying-encoder\""});
  for (const char* how : {"batch"})
    expect_parts(complaint_of({"encoder.how='" + std::string(how) + "'"}, kImagesOfNone), {"\"test.lying-encoder\""});
  const auto broken = compose(kImagesOfNone, {"encoder.how='nan'"}, false),
             blind = compose(kImagesOfNone, {"encoder.how='encode'"}, false);
  expect_parts(message_of([&] { reconstructions(*broken); }), {"\"test.lying-encoder\""});
  expect_parts(message_of([&] { reconstructions(*blind); }), {"\"test.lying-encoder\""});
  expect_parts(message_of([&] { first_samples(*blind, 3, 2); }), {"\"test.lying-encoder\""});
}

TEST(SamplesAreChecked, WhatWasGivenIsNot) {
  const auto c = compose(kPoints, {"sampler.steps=4"}, false);
  Request r;
  r.count = 2;
  r.start = at::full({2, 2}, std::numeric_limits<double>::quiet_NaN(), at::TensorOptions(at::kFloat));
  expect_parts(message_of([&] { generate(*c, r); }), {"what sampling was to start at is not finite"});
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
