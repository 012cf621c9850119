#include "host/sample/classes.hpp"

#include <ATen/ops/full.h>

#include <charconv>

#include "host/base/error.hpp"
#include "host/model/fields.hpp"
#include "host/services/status.hpp"

namespace perrin::sample {
namespace {

bool takes_classes(const model::Model& model) {
  const bool guided = model.guide && model.guide->shapes.logits;
  return (!model.conditioners.empty() || guided) && model::label_field(model.shapes.fields);
}

[[noreturn]] void refuse(const std::string& what, const std::string& fix) { throw Error(what, "--class", fix); }

// The place of the label called `name`.
size_t place_of(const model::Model& model, const std::string& name) {
  std::string all;
  for (size_t f = 0; f < model.shapes.fields.size(); ++f) {
    const perrin_field& field = model.shapes.fields[f];
    if (field.n_classes == 0) continue;
    const std::string own(services::view(field.spec.name));
    if (own == name) return f;
    all += (all.empty() ? "" : ", ") + own;
  }
  refuse("the dataset has no label \"" + name + "\"", "give one of " + all);
}

int64_t number(const std::string& text, const std::string& whole) {
  int64_t n = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (fault != std::errc() || end != text.data() + text.size())
    refuse("\"" + whole + "\" is no class", "give its number, or FIELD=NUMBER");
  return n;
}

}  // namespace

Classes parse_classes(const model::Model& model, const std::vector<std::string>& texts) {
  Classes chosen;
  if (!texts.empty() && !takes_classes(model)) refuse("the run has no classes to choose from", "leave --class out");
  for (const std::string& text : texts) {
    const size_t equals = text.find('='), first = *model::label_field(model.shapes.fields);
    const bool named = equals != std::string::npos;
    const size_t place = named ? place_of(model, text.substr(0, equals)) : first;
    const int64_t n = number(named ? text.substr(equals + 1) : text, text);
    const auto classes = static_cast<int64_t>(model.shapes.fields[place].n_classes);
    if (n < 0 || n >= classes)
      refuse("there is no class " + std::to_string(n) + (named ? " of \"" + text.substr(0, equals) + "\"" : ""),
             "give 0 to " + std::to_string(classes - 1));
    if (place == first)
      chosen.label = n;
    else
      chosen.others[place] = n;
  }
  return chosen;
}

std::vector<int64_t> grid_labels(const model::Model& model, int64_t count, int64_t columns, const Classes& chosen) {
  if (!takes_classes(model)) return {};
  const auto classes = static_cast<int64_t>(model::class_count(model.shapes.fields));
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(chosen.label.value_or(i / columns % classes));
  return labels;
}

void set_others(const Classes& chosen, int64_t count, FieldValues& given) {
  for (const auto& [place, n] : chosen.others) given.fields[place] = at::full({count}, n, at::kLong);
}

}  // namespace perrin::sample
