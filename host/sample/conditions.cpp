#include "host/sample/conditions.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "host/base/error.hpp"
#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"
#include "host/config/text.hpp"
#include "host/data/samples.hpp"
#include "host/model/fields.hpp"
#include "host/model/text_lengths.hpp"
#include "host/sample/prompt.hpp"
#include "host/services/status.hpp"

namespace perrin::sample {
namespace {

data::Batch first_samples_of(model::Model& model, int64_t rows) {
  try {
    return data::read_samples(model, 0, rows);
  } catch (const Error& error) {
    if (!model.record) throw;
    throw Error("the grid shows conditions of " + std::to_string(rows) + " samples of the data, of which the run keeps " +
                    std::to_string(model.record->first.empty() ? 0 : model.record->first.front().size(0)) +
                    ", and the data cannot be read:\n" + error.what(),
                {}, "give --prompt, a lower --count, or put the data back");
  }
}

bool is_text(const perrin_field& field) { return field.spec.dtype == PERRIN_UINT8 && field.spec.rank == 1; }

}  // namespace

FieldValues FieldValues::narrow(int64_t first, int64_t n) const {
  FieldValues part;
  for (const auto& [f, value] : fields) part.fields[f] = value.narrow(0, first, n);
  for (const auto& [name, value] : extra) part.extra[name] = value.narrow(0, first, n);
  return part;
}

namespace {

// One prompt for each of n samples in every text field; empty where there is none.
FieldValues text_fields(const model::Model& model, const std::vector<Prompt>& prompts) {
  size_t longest = 1;
  bool weighted = false;
  for (const Prompt& p : prompts) {
    longest = std::max(longest, p.text.size());
    weighted = weighted || std::ranges::any_of(p.weights, [](float w) { return w != 1; });
  }
  const auto n = static_cast<int64_t>(prompts.size()), bytes = static_cast<int64_t>(longest);
  const at::Tensor text = at::zeros({n, bytes}, at::kByte), weights = at::ones({n, bytes}, at::kFloat);
  for (int64_t i = 0; i < n; ++i) {
    const Prompt& p = prompts[static_cast<size_t>(i)];
    std::memcpy(text.mutable_data_ptr<uint8_t>() + i * bytes, p.text.data(), p.text.size());
    std::copy(p.weights.begin(), p.weights.end(), weights.mutable_data_ptr<float>() + i * bytes);
  }
  FieldValues values;
  for (size_t f = 0; f < model.shapes.fields.size(); ++f) {
    if (!is_text(model.shapes.fields[f])) continue;
    values.fields[f] = text;
    if (weighted) values.extra[std::string(services::view(model.shapes.fields[f].spec.name)) + PERRIN_WEIGHT_SUFFIX] = weights;
  }
  return values;
}

std::vector<model::TextLengths> lengths_of(model::Model& model, const std::vector<Prompt>& prompts) {
  const FieldValues values = text_fields(model, prompts);
  model::FieldsOf given;
  given.fields.resize(model.shapes.fields.size());
  for (const auto& [f, value] : values.fields) given.fields[f] = value;
  given.extra.assign(values.extra.begin(), values.extra.end());
  return model::text_lengths(model, given);
}

// Bytes of the longest start of `prompt`, whole characters, that conditioner i does not cut.
size_t kept_bytes(model::Model& model, const Prompt& prompt, size_t i) {
  std::vector<size_t> ends{0};
  for (size_t at = 0; at < prompt.text.size();)
    ends.push_back(at += first_character(std::string_view(prompt.text).substr(at)).size);
  const auto first_cut = std::ranges::partition_point(ends, [&](size_t end) {
    const Prompt start{prompt.text.substr(0, end), {prompt.weights.begin(), prompt.weights.begin() + static_cast<std::ptrdiff_t>(end)}};
    const model::TextLengths own = lengths_of(model, {start})[i];
    return own.tokens[0] <= own.limit;
  });
  return first_cut == ends.begin() ? 0 : *(first_cut - 1);
}

}  // namespace

FieldValues prompt_fields(const model::Model& model, const std::vector<std::string>& prompts) {
  std::vector<Prompt> parsed;
  for (const std::string& written : prompts) parsed.push_back(parse_prompt(written));
  FieldValues values = text_fields(model, parsed);
  if (values.empty() || model.conditioners.empty())
    throw Error("the run is not conditioned on text, and prompts were given",
                model.conditioners.empty() ? "it has no conditioner" : "its dataset has no text field",
                "leave the prompts out");
  return values;
}

std::vector<std::string> cut_prompts(model::Model& model, const std::vector<std::string>& prompts) {
  std::vector<std::string> lines;
  for (const std::string& written : std::set<std::string>(prompts.begin(), prompts.end())) {
    const Prompt prompt = parse_prompt(written);
    const std::vector<model::TextLengths> all = lengths_of(model, {prompt});
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].tokens[0] <= all[i].limit) continue;
      lines.push_back("warning: conditioner \"" + all[i].conditioner + "\" cuts the prompt " + config::quote(prompt.text) +
                      " from " + std::to_string(all[i].tokens[0]) + " to " + std::to_string(all[i].limit) +
                      " tokens: lost is " + config::quote(prompt.text.substr(kept_bytes(model, prompt, i)), 200));
    }
  }
  return lines;
}

void check_prompts(const model::Model& model, const config::Loaded& loaded) {
  const config::Samples& samples = model.experiment.samples;
  if (samples.prompts.empty()) return;
  try {
    prompt_fields(model, samples.prompts);
  } catch (const Error& error) {
    const std::string where = error.where.empty() ? "" : " (" + error.where + ")";
    throw loaded.error(samples.table.place("prompts"), error.what() + where, error.fix);
  }
}

bool needs_fields(const model::Model& model) {
  if (!model.shapes.conditioning) return false;
  if (model.shapes.conditioning->slots & PERRIN_SLOT_CONCAT) return true;
  const auto label = model::label_field(model.shapes.fields);
  for (size_t f = 0; f < model.shapes.fields.size(); ++f)
    if (f != model.shapes.image && f != label) return true;
  return false;
}

int64_t grid_rows(const model::Model& model, const config::Samples& samples, int64_t count) {
  if (!samples.prompts.empty() || !needs_fields(model)) return 0;
  return ((count == 0 ? samples.count : count) + samples.columns - 1) / samples.columns;
}

FieldValues grid_conditions(model::Model& model, const config::Samples& samples, int64_t count) {
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
  const data::Batch batch = first_samples_of(model, rows);
  std::vector<int64_t> row;
  for (int64_t i = 0; i < count; ++i) row.push_back(i / columns);
  const auto label = model::label_field(model.shapes.fields);
  for (size_t f = 0; f < batch.fields.size(); ++f)
    if (f != label) values.fields[f] = batch.fields[f].index_select(0, at::tensor(row));
  return values;
}

}  // namespace perrin::sample
