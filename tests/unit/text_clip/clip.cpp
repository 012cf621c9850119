#include "tests/unit/text_clip/clip.hpp"

#include <ATen/ops/zeros.h>

#include <cstring>
#include <functional>

#include "host/services/tensor.hpp"

namespace perrin::testing {

constexpr int64_t kBytes = 512;

Values Clip::values() const {
  return {{"vocabulary", vocabulary}, {"merges", merges},         {"weights", weights}, {"activation", activation},
          {"layer", layer},           {"output", output},         {"null", null},       {"field", field},
          {"entries", entries},       {"max_tokens", max_tokens}, {"width", width},     {"layers", layers},
          {"heads", heads},           {"projection", projection}, {"drop", drop},
          {"tokenizer", tokenizer},   {"cleaning", cleaning},     {"padding", padding}};
}

Built build(const Clip& clip, at::ScalarType dtype) {
  std::vector<perrin_field> fields(3);
  fields[0].spec = spec({3, 8, 8}, PERRIN_UINT8);
  fields[0].spec.name = PERRIN_TEXT("image");
  fields[1].spec = spec({}, PERRIN_INT64);
  fields[1].spec.name = PERRIN_TEXT("label");
  fields[2].spec = spec({kBytes}, PERRIN_UINT8);
  fields[2].spec.name = PERRIN_TEXT("caption");
  for (perrin_field& field : fields) field.struct_size = sizeof field;
  auto component = load("conditioner", "clip-text", clip.values());
  perrin_conditioning_spec out{};
  component.invoke<&perrin_conditioner::infer>(3u, fields.data(), &out);
  return {out, Bound(std::move(component), dtype)};
}

Condition encode(const services::Component& conditioner, const std::vector<std::string>& texts,
                 const std::vector<uint8_t>& drop, const at::Tensor& weights, bool training) {
  const auto n = static_cast<int64_t>(texts.size());
  const at::Tensor bytes = at::zeros({n, kBytes}, at::kByte);
  for (int64_t i = 0; i < n; ++i) {
    const std::string& text = texts[static_cast<size_t>(i)];
    std::memcpy(bytes.mutable_data_ptr<uint8_t>() + i * kBytes, text.data(), std::min<size_t>(text.size(), kBytes));
  }
  const auto field = services::wrap(bytes), weight = services::wrap(weights);
  const perrin_named_tensor fields[] = {{PERRIN_TEXT("caption"), field.get()},
                                        {PERRIN_TEXT("caption.weight"), weight.get()}};
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(n);
  call.training = training;
  perrin_conditioning out{};
  conditioner.invoke<&perrin_conditioner::encode>(&call, weights.defined() ? 2u : 1u, fields,
                                                  drop.empty() ? nullptr : drop.data(), &out);
  const auto taken = [](perrin_tensor* handle) {
    return handle == nullptr ? at::Tensor() : services::unwrap(services::TensorHandle(handle).get());
  };
  return {taken(out.vector), taken(out.sequence), taken(out.concat)};
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace perrin::testing
