#include "host/sample/conditions.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "host/base/error.hpp"
#include "host/run/data_record.hpp"
#include "host/run/objective.hpp"
#include "host/services/status.hpp"

namespace perrin::sample {
namespace {

run::Batch first_samples_of(run::Model& model, int64_t rows) {
  try {
    return run::read_samples(model, 0, rows);
  } catch (const Error& error) {
    if (!model.record) throw;
    throw Error("the grid shows conditions of " + std::to_string(rows) + " samples of the data, of which the run keeps " +
                    std::to_string(model.record->first.empty() ? 0 : model.record->first.front().size(0)) +
                    ", and the data cannot be read:\n" + error.what(),
                {}, "give --prompt, a lower --count, or put the data back");
  }
}

bool is_text(const perrin_field& field) { return field.spec.dtype == PERRIN_UINT8 && field.spec.rank == 1; }

// "word:1.3" of "(word:1.3)" -> where the number begins; npos if it is no weight.
size_t weight_at(const std::string& inside, float& weight) {
  const size_t colon = inside.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::string::npos;
  char* end = nullptr;
  weight = std::strtof(inside.c_str() + colon + 1, &end);
  return end == inside.c_str() + inside.size() && end != inside.c_str() + colon + 1 ? colon : std::string::npos;
}

}  // namespace

FieldValues FieldValues::narrow(int64_t first, int64_t n) const {
  FieldValues part;
  for (const auto& [f, value] : fields) part.fields[f] = value.narrow(0, first, n);
  for (const auto& [name, value] : extra) part.extra[name] = value.narrow(0, first, n);
  return part;
}

Prompt parse_prompt(const std::string& written) {
  Prompt prompt;
  const auto add = [&](const std::string& text, float weight) {
    prompt.text += text;
    prompt.weights.insert(prompt.weights.end(), text.size(), weight);
  };
  for (size_t i = 0; i < written.size();) {
    float weight = 1;
    const bool escaped = written[i] == '\\' && i + 1 < written.size() && (written[i + 1] == '(' || written[i + 1] == ')');
    const size_t close = written[i] == '(' ? written.find(')', i) : std::string::npos;
    const std::string inside = close == std::string::npos ? "" : written.substr(i + 1, close - i - 1);
    const size_t colon = weight_at(inside, weight);
    if (escaped) {
      add(written.substr(i + 1, 1), 1);
      i += 2;
    } else if (colon != std::string::npos) {
      add(inside.substr(0, colon), weight);
      i = close + 1;
    } else {
      add(written.substr(i++, 1), 1);
    }
  }
  return prompt;
}

FieldValues prompt_fields(const run::Model& model, const std::vector<std::string>& prompts) {
  std::vector<Prompt> parsed;
  size_t longest = 1;
  bool weighted = false;
  for (const std::string& written : prompts) {
    const Prompt& p = parsed.emplace_back(parse_prompt(written));
    longest = std::max(longest, p.text.size());
    weighted = weighted || std::ranges::any_of(p.weights, [](float w) { return w != 1; });
  }
  const auto n = static_cast<int64_t>(parsed.size()), bytes = static_cast<int64_t>(longest);
  const at::Tensor text = at::zeros({n, bytes}, at::kByte), weights = at::ones({n, bytes}, at::kFloat);
  for (int64_t i = 0; i < n; ++i) {
    const Prompt& p = parsed[static_cast<size_t>(i)];
    std::memcpy(text.mutable_data_ptr<uint8_t>() + i * bytes, p.text.data(), p.text.size());
    std::copy(p.weights.begin(), p.weights.end(), weights.mutable_data_ptr<float>() + i * bytes);
  }
  FieldValues values;
  for (size_t f = 0; f < model.shapes.fields.size(); ++f) {
    if (!is_text(model.shapes.fields[f])) continue;
    values.fields[f] = text;
    if (weighted) values.extra[std::string(services::view(model.shapes.fields[f].spec.name)) + PERRIN_WEIGHT_SUFFIX] = weights;
  }
  if (values.empty() || model.conditioners.empty())
    throw Error("the run is not conditioned on text, and prompts were given",
                model.conditioners.empty() ? "it has no conditioner" : "its dataset has no text field",
                "leave the prompts out");
  return values;
}

bool needs_fields(const run::Model& model) {
  if (!model.shapes.conditioning) return false;
  if (model.shapes.conditioning->slots & PERRIN_SLOT_CONCAT) return true;
  const auto label = run::label_field(model.shapes.fields);
  for (size_t f = 0; f < model.shapes.fields.size(); ++f)
    if (f != model.shapes.image && f != label) return true;
  return false;
}

int64_t grid_rows(const run::Model& model, const config::Samples& samples, int64_t count) {
  if (!samples.prompts.empty() || !needs_fields(model)) return 0;
  return ((count == 0 ? samples.count : count) + samples.columns - 1) / samples.columns;
}

FieldValues grid_conditions(run::Model& model, const config::Samples& samples, int64_t count) {
  const int64_t columns = samples.columns;
  if (count == 0) count = samples.count;
  if (!samples.prompts.empty()) {
    std::vector<std::string> prompts;
    for (int64_t i = 0; i < count; ++i)
      prompts.push_back(samples.prompts[static_cast<size_t>(i / columns) % samples.prompts.size()]);
    return prompt_fields(model, prompts);
  }
  FieldValues values;
  const int64_t rows = grid_rows(model, samples, count);
  if (rows == 0) return values;
  const run::Batch batch = first_samples_of(model, rows);
  std::vector<int64_t> row;
  for (int64_t i = 0; i < count; ++i) row.push_back(i / columns);
  const auto label = run::label_field(model.shapes.fields);
  for (size_t f = 0; f < batch.fields.size(); ++f)
    if (f != label) values.fields[f] = batch.fields[f].index_select(0, at::tensor(row));
  return values;
}

}  // namespace perrin::sample
