#include "host/runs/data_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/base/error.hpp"
#include "host/data/samples.hpp"
#include "host/model/fields.hpp"
#include "host/model/tensor_file.hpp"
#include "host/services/status.hpp"
#include "host/services/weights.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSchema = "perrin.data/1";

fs::path file_of(const Folder& folder) { return folder.path / "data.safetensors"; }

Json field_json(const perrin_field& field) {
  return {{"name", services::view(field.spec.name)},
          {"dtype", field.spec.dtype},
          {"shape", std::vector<int64_t>(field.spec.sizes, field.spec.sizes + field.spec.rank)},
          {"scale", field.scale},
          {"offset", field.offset},
          {"classes", field.n_classes}};
}

perrin_field field_from(const Json& json, model::DataRecord& record) {
  perrin_field field{};
  field.struct_size = sizeof field;
  field.spec.name = services::text(record.names.emplace_back(json.at("name").get<std::string>()));
  field.spec.dtype = json.at("dtype").get<uint32_t>();
  const auto sizes = json.at("shape").get<std::vector<int64_t>>();
  if (sizes.size() > PERRIN_MAX_RANK) throw std::out_of_range("a field has more than 8 dimensions");
  field.spec.rank = static_cast<uint32_t>(sizes.size());
  std::ranges::copy(sizes, field.spec.sizes);
  field.scale = json.at("scale").get<double>();
  field.offset = json.at("offset").get<double>();
  field.n_classes = json.at("classes").get<uint64_t>();
  return field;
}

Json table_json(const config::Component& dataset) {
  Json table = {{"use", dataset.use}};
  for (const auto& [key, value] : dataset.values) table[key] = config::to_json(value);
  return table;
}

// A key that the run's dataset did not have yet counts where it is not at its default.
bool is_of(const Json& kept, const config::Component& dataset) {
  const Json table = table_json(dataset);
  for (const auto& [key, value] : table.items()) {
    if (const auto held = kept.find(key); held != kept.end() && *held == value) continue;
    const config::Key* schema = config::find_key(dataset.factory->keys, key);
    if (kept.contains(key) || !schema || !schema->default_value || config::to_json(*schema->default_value) != value)
      return false;
  }
  return true;
}

model::DataRecord parsed(const store::SafeTensors& file) {
  model::DataRecord record;
  const Json fields = Json::parse(file.metadata().at("fields"));
  record.count = std::stoull(file.metadata().at("count"));
  for (const Json& field : fields) record.fields.push_back(field_from(field, record));
  for (const perrin_field& field : record.fields) {
    const store::TensorView* held = file.find(services::view(field.spec.name));
    if (!held) throw std::out_of_range("a field has no samples");
    record.first.push_back(services::copy_of(*held));
  }
  return record;
}

}  // namespace

void keep_data(const Folder& folder, model::Model& model, int64_t n) {
  std::error_code ignored;
  if (fs::exists(file_of(folder), ignored)) return;
  const auto& fields = model.shapes.fields;
  data::Batch batch;
  if (n > 0)
    batch = data::read_samples(model, 0, n);
  else
    data::allocate_fields(batch, fields, 0);
  Json described = Json::array();
  std::vector<store::TensorView> tensors;
  for (size_t f = 0; f < fields.size(); ++f) {
    described.push_back(field_json(fields[f]));
    tensors.push_back(model::tensor_view(std::string(services::view(fields[f].spec.name)),
                                         batch.fields[f].sizes().vec(), batch.fields[f]));
  }
  store::write_safetensors(file_of(folder), tensors,
                           {{"schema", kSchema},
                            {"dataset", table_json(model.experiment.dataset).dump()},
                            {"count", std::to_string(model::dataset_count(model.dataset))},
                            {"fields", described.dump()}});
}

std::shared_ptr<const model::DataRecord> kept_data(const Folder& folder, const config::Loaded& loaded) {
  std::error_code ignored;
  const fs::path path = file_of(folder);
  if (!fs::exists(path, ignored)) return nullptr;
  const store::SafeTensors file = model::open_tensor_file(path, kSchema, "a run's record of its data");
  try {
    if (!is_of(Json::parse(file.metadata().at("dataset")), loaded.experiment.dataset)) return nullptr;
    return std::make_shared<const model::DataRecord>(parsed(file));
  } catch (const std::exception& error) {
    throw Error(std::string("the run's record of its data is damaged: ") + error.what(), path.string(),
                "delete it: the run's data are read in its place");
  }
}

}  // namespace perrin::runs
