#include "tests/unit/text_encoders/conditioners.hpp"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "host/model/text_lengths.hpp"
#include "host/services/tensor.hpp"

namespace perrin::testing {
namespace {

constexpr int64_t kBytes = 2048;

const Values kText = {{"output", std::string("sequence")},
                      {"field", std::string("caption")},
                      {"drop", 0.1},
                      {"null", std::string("empty")}};

perrin_field field(const char* name, std::vector<int64_t> sizes, uint32_t dtype, double scale = 1, double offset = 0) {
  perrin_field f{};
  f.struct_size = sizeof f;
  f.spec = spec(std::move(sizes), dtype);
  f.spec.name = {name, std::strlen(name)};
  f.scale = scale;
  f.offset = offset;
  return f;
}

at::Tensor taken(perrin_tensor* handle) {
  return handle == nullptr ? at::Tensor() : services::unwrap(services::TensorHandle(handle).get());
}

}  // namespace

std::string data(const std::string& file) { return std::string(PERRIN_TEXT_ENCODERS) + "/" + file; }

Values with(Values values, const Values& more) {
  for (const auto& [key, value] : more) values.insert_or_assign(key, value);
  return values;
}
Values text_transformer(const Values& more) {
  return with(with(kText, {{"width", int64_t{16}},
                           {"layers", int64_t{2}},
                           {"heads", int64_t{2}},
                           {"tokens", int64_t{12}},
                           {"vocabulary_size", int64_t{514}},
                           {"samples", int64_t{1000}}}),
              more);
}
Values bert(const Values& more) {
  return with(with(kText, {{"vocabulary", data("vocab.txt")},
                           {"tokenizer", std::string()},
                           {"weights", data("bert.safetensors")},
                           {"lower_case", true},
                           {"width", int64_t{24}},
                           {"layers", int64_t{2}},
                           {"heads", int64_t{3}},
                           {"hidden", int64_t{40}},
                           {"positions", int64_t{16}},
                           {"tokens", int64_t{12}}}),
              more);
}
Values gpt(const Values& more) {
  return with(with(kText, {{"vocabulary", data("vocab.json")},
                           {"merges", data("merges.txt")},
                           {"tokenizer", std::string()},
                           {"weights", data("gpt.safetensors")},
                           {"width", int64_t{24}},
                           {"layers", int64_t{2}},
                           {"heads", int64_t{3}},
                           {"positions", int64_t{16}},
                           {"tokens", int64_t{12}}}),
              more);
}
Values t5(const Values& more) {
  return with(with(kText, {{"tokenizer", data("tokenizer.json")},
                           {"weights", data("t5_relu.safetensors")},
                           {"vocabulary_size", int64_t{512}},
                           {"width", int64_t{24}},
                           {"layers", int64_t{3}},
                           {"heads", int64_t{2}},
                           {"head_width", int64_t{8}},
                           {"hidden", int64_t{40}},
                           {"feed_forward", std::string("relu")},
                           {"buckets", int64_t{8}},
                           {"furthest", int64_t{6}},
                           {"tokens", int64_t{12}}}),
              more);
}
Values image(const std::string& task, const Values& more) {
  return with({{"task", task},
               {"factor", int64_t{4}},
               {"enlarge", std::string("bicubic")},
               {"holes", std::string("mixed")},
               {"size", int64_t{0}},
               {"drop", 0.1},
               {"field", std::string("image")},
               {"mask_field", std::string("mask")}},
              more);
}
Values vector(const Values& more) {
  return with({{"fields", std::vector<std::string>{"score", "place"}},
               {"width", int64_t{8}},
               {"layers", int64_t{2}},
               {"frequencies", int64_t{0}},
               {"drop", 0.1},
               {"null", std::string("learnt")}},
              more);
}

Conditioner conditioner(services::Component component, at::ScalarType dtype) {
  perrin_field label = field("label", {}, PERRIN_INT64);
  label.n_classes = 5;
  const perrin_field fields[] = {field("image", {3, 12, 8}, PERRIN_UINT8, 2.0 / 255, -1),
                                 field("caption", {kBytes}, PERRIN_UINT8), field("score", {}, PERRIN_FLOAT32),
                                 field("place", {2}, PERRIN_INT64, 0.5, -1), label};
  perrin_conditioning_spec out{};
  component.invoke<&perrin_conditioner::infer>(5u, fields, &out);
  return {out, Bound(std::move(component), dtype)};
}

Conditioner conditioner(const std::string& id, const Values& values, at::ScalarType dtype) {
  return conditioner(load("conditioner", id, values), dtype);
}

Condition encode(const services::Component& component, const Named& fields, const Asked& asked) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const auto& [name, tensor] : fields)
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
  const auto n = static_cast<size_t>(fields.empty() ? asked.drop.size() : fields[0].second.size(0));
  std::vector<uint64_t> samples = asked.samples;
  if (samples.empty()) samples.resize(n), std::iota(samples.begin(), samples.end(), 0);
  perrin_call call{};
  call.struct_size = sizeof call;
  call.training = asked.training;
  call.seed = asked.seed;
  call.n = static_cast<uint32_t>(n);
  call.samples = samples.data();
  perrin_conditioning out{};
  component.invoke<&perrin_conditioner::encode>(&call, static_cast<uint32_t>(named.size()), named.data(),
                                                asked.drop.empty() ? nullptr : asked.drop.data(), &out);
  return {taken(out.vector), taken(out.sequence), taken(out.concat)};
}

Lengths text_lengths(const services::Component& component, const Named& fields) {
  const services::TensorHandle text = services::wrap(fields[0].second);
  const perrin_named_tensor named{{fields[0].first.data(), fields[0].first.size()}, text.get()};
  Lengths lengths{0, std::vector<uint64_t>(static_cast<size_t>(fields[0].second.size(0)))};
  component.invoke<&perrin_text_lengths::limit>(&lengths.limit);
  component.invoke<&perrin_text_lengths::count>(1u, &named, lengths.tokens.data());
  return lengths;
}

at::Tensor captions(const std::vector<std::string>& texts) {
  const at::Tensor bytes = at::zeros({static_cast<int64_t>(texts.size()), kBytes}, at::kByte);
  uint8_t* row = bytes.mutable_data_ptr<uint8_t>();
  for (const std::string& text : texts) {
    std::memcpy(row, text.data(), std::min<size_t>(text.size(), kBytes));
    row += kBytes;
  }
  return bytes;
}

void expect_shapes(const Condition& condition, const perrin_conditioning_spec& spec, int64_t n) {
  const auto expect = [&](const at::Tensor& x, const perrin_spec& s, uint32_t slot) {
    EXPECT_EQ(x.defined(), (spec.slots & slot) != 0);
    if (!x.defined()) return;
    std::vector<int64_t> sizes(s.sizes, s.sizes + s.rank);
    sizes.insert(sizes.begin(), n);
    EXPECT_EQ(x.sizes(), at::IntArrayRef(sizes));
    EXPECT_TRUE(at::isfinite(x).all().item<bool>());
  };
  expect(condition.vector, spec.vector, PERRIN_SLOT_VECTOR);
  expect(condition.sequence, spec.sequence, PERRIN_SLOT_SEQUENCE);
  expect(condition.concat, spec.concat, PERRIN_SLOT_CONCAT);
}

std::string refused(const std::function<void()>& f) {
  try {
    f();
    return "accepted";
  } catch (const std::exception& e) {
    return e.what();
  }
}

uint64_t fit(const services::Component& component, const std::vector<std::vector<std::string>>& batches) {
  uint64_t wanted = 0;
  component.invoke<&perrin_conditioner_fit::samples>(&wanted);
  for (const auto& batch : batches) {
    const auto bytes = services::wrap(captions(batch));
    const perrin_named_tensor named = {PERRIN_TEXT("caption"), bytes.get()};
    component.invoke<&perrin_conditioner_fit::observe>(1u, &named);
  }
  component.invoke<&perrin_conditioner_fit::fit>();
  return wanted;
}

std::vector<uint8_t> state(const services::Component& component) {
  uint64_t n = 0;
  const uint8_t* bytes = nullptr;
  component.invoke<&perrin_state::save>(&n, &bytes);
  return {bytes, bytes + n};
}

void restore(const services::Component& component, const std::vector<uint8_t>& bytes) {
  component.invoke<&perrin_state::load>(uint64_t{bytes.size()}, bytes.data());
}

}  // namespace perrin::testing
