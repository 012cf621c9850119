// The same random weights give what the peers give, from text to the last hidden state: transformers' T5EncoderModel,
// BertModel and GPT2Model; and the reduced image is Pillow's, its enlargements torch's. Tolerance: 1e-4 of the largest
// output.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "host/store/safetensors.hpp"
#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

at::Tensor held(const std::string& file, const std::string& name) {
  const auto tensors = store::SafeTensors::open(data(file), store::Checksum::if_present);
  const store::TensorView* view = tensors.find(name);
  if (!view) throw std::out_of_range(name);
  const auto dtype = view->dtype == store::Dtype::u8 ? at::kByte : at::kFloat;
  return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, dtype).clone();
}

void expect_same(const std::string& what, const at::Tensor& ours, const at::Tensor& theirs) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double largest = theirs.abs().max().item<double>();
  const double error = ours.sub(theirs).abs().max().item<double>() / largest;
  std::printf("%s: largest output %.4f, apart by %.1e of it\n", what.c_str(), largest, error);
  EXPECT_LT(error, 1e-4) << what;
}

Condition of_the_batch(const std::string& id, const Values& values) {
  const at::NoGradGuard no_grad;
  std::ifstream file(data("texts.json"));
  const auto texts = nlohmann::json::parse(file)["batch"].get<std::vector<std::string>>();
  const Conditioner c = conditioner(id, values);
  return encode(c.bound.component, {{"caption", captions(texts)}});
}

TEST(TextModel, t5_is_the_peers) {
  expect_same("t5, relu", of_the_batch("t5", t5()).sequence, held("t5_relu.safetensors", "out.states"));
  const Values gated = t5({{"weights", data("t5_gated.safetensors")}, {"feed_forward", std::string("gated-gelu")}});
  expect_same("t5, gated gelu", of_the_batch("t5", gated).sequence, held("t5_gated.safetensors", "out.states"));
}

TEST(TextModel, bert_is_the_peers) {
  const Condition z = of_the_batch("bert", bert({{"output", std::string("both")}}));
  expect_same("bert", z.sequence, held("bert.safetensors", "out.states"));
  expect_same("bert, pooler", z.vector, held("bert.safetensors", "out.pooled"));
}

TEST(TextModel, gpt_is_the_peers) {
  const Condition z = of_the_batch("gpt", gpt({{"output", std::string("both")}}));
  const at::Tensor states = held("gpt.safetensors", "out.states");
  expect_same("gpt", z.sequence, states);
  // The second text is empty: its end is its first token. The last one is cut: its end is the last.
  expect_same("gpt, empty text", z.vector[1], states[1][0]);
  expect_same("gpt, cut text", z.vector[3], states[3][11]);
}

TEST(ImageCondition, is_reduced_as_pillow_does_and_enlarged_as_torch_does) {
  for (const char* mode : {"bicubic", "bilinear", "nearest"}) {
    const Conditioner c = conditioner("image", image("super-resolution", {{"enlarge", std::string(mode)}}));
    const auto z = encode(c.bound.component, {{"image", held("image.safetensors", "pixels")}});
    expect_same(mode, z.concat, held("image.safetensors", mode));
  }
}

}  // namespace
}  // namespace perrin::testing
