#include "host/data/samples.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "host/model/fields.hpp"
#include "host/services/spec.hpp"
#include "host/services/tensor.hpp"

namespace perrin::data {

std::vector<void*> allocate_fields(Batch& batch, const std::vector<perrin_field>& fields, int64_t n) {
  std::vector<void*> buffers;
  for (const perrin_field& field : fields) {
    const auto dtype = static_cast<at::ScalarType>(field.spec.dtype);
    batch.fields.push_back(at::empty(services::batch_sizes(field.spec, n), dtype));
    buffers.push_back(batch.fields.back().data_ptr());
  }
  return buffers;
}

at::Tensor images(const model::Model& model, const Batch& batch) {
  const perrin_field& field = model.shapes.fields[model.shapes.image];
  // A copy: a field that is float32 already is also what conditioners see.
  const at::Tensor& stored = batch.fields[model.shapes.image];
  return stored.to(stored.options().device(model.session->device()).dtype(at::kFloat), false, true)
      .mul_(field.scale)
      .add_(field.offset);
}

at::Tensor label_of(const model::Model& model, const Batch& batch) {
  const auto label = model::label_field(model.shapes.fields);
  return label ? batch.fields[*label].to(model.session->device(), at::kLong) : at::Tensor();
}

std::vector<int64_t> label_values(const model::Model& model, const Batch& batch) {
  const at::Tensor label = label_of(model, batch);
  if (!label.defined()) return {};
  const at::Tensor values = label.cpu().contiguous();
  return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
}

namespace {

// Fills the batch from the samples that a run keeps; false where it keeps too few.
bool kept_rows(const model::DataRecord& record, Batch& batch) {
  const int64_t kept = record.first.empty() ? 0 : record.first.front().size(0);
  std::vector<int64_t> rows;
  for (const uint64_t index : batch.indices) {
    if (index >= static_cast<uint64_t>(kept)) return false;
    rows.push_back(static_cast<int64_t>(index));
  }
  for (const at::Tensor& field : record.first) batch.fields.push_back(field.index_select(0, at::tensor(rows)));
  return true;
}

}  // namespace

Batch read_samples(model::Model& model, uint64_t first, int64_t n) {
  Batch batch;
  const uint64_t count = model.record ? model.record->count : model::dataset_count(model.data());
  for (uint64_t i = first; i < first + static_cast<uint64_t>(n); ++i) batch.indices.push_back(i % count);
  batch.positions = batch.indices;
  if (model.record && kept_rows(*model.record, batch)) return batch;
  const std::vector<void*> buffers = allocate_fields(batch, model.shapes.fields, n);
  model.data().invoke<&perrin_dataset::read>(uint64_t{batch.indices.size()}, batch.indices.data(), buffers.data());
  return batch;
}

}  // namespace perrin::data
