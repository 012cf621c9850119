#include "host/model/text_lengths.hpp"

#include "host/services/named_tensors.hpp"

namespace perrin::model {
std::vector<TextLengths> text_lengths(Model& model, const FieldsOf& fields) {
  services::NamedTensors named;
  int64_t n = 0;
  for (size_t f = 0; f < fields.fields.size(); ++f) {
    if (!fields.fields[f].defined()) continue;
    n = fields.fields[f].size(0);
    named.add(services::view(model.shapes.fields[f].spec.name), fields.fields[f]);
  }
  for (const auto& [name, tensor] : fields.extra) named.add(name, tensor);
  std::vector<TextLengths> result;
  for (size_t i = 0; i < model.conditioners.size(); ++i) {
    const services::Component& conditioner = model.conditioners[i];
    if (!conditioner.has<&perrin_text_lengths::count>()) continue;
    TextLengths& own = result.emplace_back();
    own.conditioner = model.experiment.conditioners[i].use;
    own.tokens.resize(static_cast<size_t>(n));
    conditioner.invoke<&perrin_text_lengths::limit>(&own.limit);
    conditioner.invoke<&perrin_text_lengths::count>(named.size(), named.data(), own.tokens.data());
  }
  return result;
}

}  // namespace perrin::model
