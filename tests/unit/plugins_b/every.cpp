#include "tests/unit/plugins_b/every.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "host/services/status.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

std::optional<config::Value> required_value(const perrin_key& key, const std::vector<std::string>& texts) {
  if (key.type == PERRIN_INTEGER) return std::max<int64_t>(3, static_cast<int64_t>(key.min));
  if (key.type == PERRIN_STRING && key.n_choices > 0) return std::string(services::view(key.choices[0]));
  if (key.type == PERRIN_STRINGS && !texts.empty()) return texts;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> ids_of(const std::string& kind) {
  std::vector<std::string> ids;
  for (const perrin_component* c : library(kind).components(kind)) ids.emplace_back(services::view(c->id));
  return ids;
}

std::optional<Values> required_values(const std::string& kind, const std::string& id,
                                      const std::vector<std::string>& texts) {
  const perrin_component& component = *library(kind).find(kind, id);
  Values values;
  for (uint32_t i = 0; i < component.n_keys; ++i) {
    const perrin_key& key = component.keys[i];
    if (key.default_value.size > 0 || (key.flags & PERRIN_KEY_REQUIRED) == 0) continue;
    const auto value = required_value(key, texts);
    if (!value) return std::nullopt;
    values[std::string(services::view(key.name))] = *value;
  }
  return values;
}

std::vector<std::string> ids_without_files(const std::string& kind, const std::vector<std::string>& texts) {
  std::vector<std::string> ids = ids_of(kind);
  std::erase_if(ids, [&](const std::string& id) { return !required_values(kind, id, texts); });
  return ids;
}

Values keys_of(const std::string& kind, const std::string& id, const Values& sizes) {
  const perrin_component& component = *library(kind).find(kind, id);
  Values values;
  for (uint32_t i = 0; i < component.n_keys; ++i)
    if (const auto found = sizes.find(std::string(services::view(component.keys[i].name))); found != sizes.end())
      values.insert(*found);
  return values;
}

std::string id_as_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

void move(const Bound& net, double deviation) {
  const at::NoGradGuard no_grad;
  for (const Declared& d : net.declared)
    if (d.role == PERRIN_PARAMETER) d.value.add_(at::randn(d.value.sizes(), d.value.options()), deviation);
}

void expect_parameters_alone(const std::function<Bound()>& make, const std::function<at::Tensor(const Bound&)>& output) {
  const at::NoGradGuard no_grad;
  const Bound net = make(), other = make();
  move(net, 0.1);
  const at::Tensor y = output(net);
  if (!net.declared.empty()) EXPECT_FALSE(y.equal(output(other)));
  for (size_t i = 0; i < net.declared.size(); ++i) other.declared[i].value.copy_(net.declared[i].value);
  EXPECT_TRUE(y.equal(output(other)));
}

double directional_error(const std::function<at::Tensor()>& f, const Bound& net, double h) {
  net.gradients.zero_();
  f().backward();
  const at::Tensor direction = at::zeros_like(net.values);
  int64_t offset = 0;
  for (const Declared& d : net.declared) {
    if (d.role == PERRIN_PARAMETER)
      direction.narrow(0, offset, d.value.numel()).copy_(at::randn({d.value.numel()}, at::kDouble));
    offset += d.value.numel();
  }
  if (offset > 0) direction.div_(direction.norm());
  const double analytic = net.gradients.mul(direction).sum().item<double>(),
               numeric = derivative(f, net.values, direction, h), error = std::abs(analytic - numeric) / std::abs(numeric);
  EXPECT_LT(error, 1e-5) << "analytic " << analytic << ", numeric " << numeric;
  return error;
}

}  // namespace perrin::testing
