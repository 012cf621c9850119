// Contracts of the functions that fill a dataset's buffers.
#include <c10/core/ScalarType.h>

#include <deque>

#include "host/services/contract.hpp"
#include "host/services/finite.hpp"
#include "host/services/output.hpp"
#include "host/services/unchanged.hpp"

namespace perrin::services {
namespace {

size_t item_bytes(uint32_t dtype) { return c10::elementSize(static_cast<at::ScalarType>(dtype)); }

template <class T>
void check_labels(const Call& call, const perrin_field& field, const void* data, uint64_t n) {
  const T* labels = static_cast<const T*>(data);
  for (uint64_t i = 0; i < n; ++i)
    if (labels[i] < 0 || static_cast<uint64_t>(labels[i]) >= field.n_classes)
      call.wrong("gave " + std::string(view(field.spec.name)) + " " + std::to_string(labels[i]) + " in place of 0 to " +
                 std::to_string(field.n_classes - 1));
}

void check_values(const Call& call, const perrin_field& field, void* data, uint64_t n) {
  if (field.spec.dtype == PERRIN_FLOAT32 && !all_finite(static_cast<const float*>(data), static_cast<int64_t>(n)))
    call.wrong("gave values of \"" + std::string(view(field.spec.name)) + "\" that are NaN or infinite");
  if (field.n_classes == 0) return;
  if (field.spec.dtype == PERRIN_INT64) check_labels<int64_t>(call, field, data, n);
  if (field.spec.dtype == PERRIN_INT32) check_labels<int32_t>(call, field, data, n);
  if (field.spec.dtype == PERRIN_UINT8) check_labels<uint8_t>(call, field, data, n);
}

template <auto member, class... Before>
void hold_read(const Raw<member>& call, uint64_t n, void* const* buffers, Before... before) {
  std::optional<std::vector<perrin_field>> known;
  {
    std::lock_guard lock(call.said.mutex);
    known = call.said.fields;
  }
  if (!known) return call(before..., buffers);
  const std::vector<perrin_field>& fields = *known;
  std::deque<Output> rooms;
  std::vector<uint64_t> values;
  for (size_t f = 0; f < fields.size(); ++f) {
    uint64_t per_sample = 1;
    for (uint32_t i = 0; i < fields[f].spec.rank; ++i) per_sample *= static_cast<uint64_t>(fields[f].spec.sizes[i]);
    values.push_back(n * per_sample);
    rooms.emplace_back(call, "the buffer of a field", buffers[f], values[f] * item_bytes(fields[f].spec.dtype));
  }
  std::vector<void*> own;
  for (const Output& room : rooms) own.push_back(room.data());
  call(before..., own.data());
  for (size_t f = 0; f < fields.size(); ++f) {
    rooms[f].check_borders();
    check_values(call, fields[f], own[f], values[f]);
  }
  for (const Output& room : rooms) room.take();
  while (!rooms.empty()) rooms.pop_back();  // a stack
}

}  // namespace

void Contract<&perrin_dataset::read>::hold(const Raw<&perrin_dataset::read>& call, uint64_t n, const uint64_t* indices,
                                           void* const* buffers) {
  Unchanged unchanged(call);
  unchanged.add("indices", indices, n * sizeof *indices);
  hold_read(call, n, buffers, n, indices);
  unchanged.check();
}

void Contract<&perrin_dataset::read_augmented>::hold(const Raw<&perrin_dataset::read_augmented>& call,
                                                     perrin_stream stream, uint64_t n, const uint64_t* indices,
                                                     const uint64_t* positions, void* const* buffers) {
  Unchanged unchanged(call);
  unchanged.add("indices", indices, n * sizeof *indices);
  unchanged.add("positions", positions, n * sizeof *positions);
  hold_read(call, n, buffers, stream, n, indices, positions);
  unchanged.check();
}

}  // namespace perrin::services
