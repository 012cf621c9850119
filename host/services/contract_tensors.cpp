// Contracts of the functions that give tensors, and of the dataset's buffers.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <deque>

#include "host/config/text.hpp"
#include "host/services/contract.hpp"
#include "host/services/output.hpp"
#include "host/services/tensor.hpp"
#include "host/services/unchanged.hpp"

namespace perrin::services {
namespace {

using Sizes = std::vector<int64_t>;

// An exponent of ones is NaN or infinity; branch-free, so that the compiler makes it as fast as memory.
bool all_finite(const float* x, int64_t n) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; ++i) bad |= (std::bit_cast<uint32_t>(x[i]) & 0x7f80'0000u) == 0x7f80'0000u;
  return bad == 0;
}

bool all_finite(const at::Tensor& x) {
  if (!at::isFloatingType(x.scalar_type()) || x.numel() == 0) return true;
  if (x.device().is_cpu() && x.scalar_type() == at::kFloat && x.is_non_overlapping_and_dense())
    return all_finite(x.const_data_ptr<float>(), x.numel());
  const at::NoGradGuard no_grad;
  return at::isfinite(x.detach()).all().item<bool>();
}

Sizes with_batch(int64_t batch, const perrin_spec& spec) {
  Sizes sizes(spec.sizes, spec.sizes + spec.rank);
  sizes.insert(sizes.begin(), batch);
  return sizes;
}

// One handle that the plugin fills; a reference of the caller's once it was taken.
class Given {
 public:
  Given(const Call& call, std::string name, perrin_tensor** to) : call_(call), name_(std::move(name)), to_(to) {}
  void fill_from(perrin_tensor* handle) { handle_ = handle; }

  // The tensor, alive and owned.
  const at::Tensor& tensor() {
    perrin_tensor* const handle = handle_;
    if (owned_) return unwrap(handle);
    if (handle == nullptr) call_.wrong("gave no " + name_ + " (NULL) and no status");
    if (!alive(handle)) call_.wrong("gave a " + name_ + " that was released, or never was a tensor");
    const Counting counting(call_.said.account);
    if (!take_back(handle))
      call_.wrong("gave a " + name_ + " of which it owns no reference, such as an input that it did not retain");
    owned_ = TensorHandle(handle);
    return unwrap(handle);
  }

  Given& shaped(const Sizes& sizes) {
    if (tensor().sizes() != at::IntArrayRef(sizes))
      call_.wrong("gave a " + name_ + " of shape " + c10::str(tensor().sizes()) + " in place of " +
                  c10::str(at::IntArrayRef(sizes)));
    return *this;
  }
  Given& floating() {
    if (!at::isFloatingType(tensor().scalar_type()))
      call_.wrong("gave a " + name_ + " of dtype " + c10::str(tensor().scalar_type()) + ", which holds no real numbers");
    return *this;
  }
  Given& like(const at::Tensor& other) {
    shaped(other.sizes().vec());
    if (tensor().scalar_type() != other.scalar_type())
      call_.wrong("gave a " + name_ + " of dtype " + c10::str(tensor().scalar_type()) + " in place of " +
                  c10::str(other.scalar_type()));
    if (tensor().device() != other.device())
      call_.wrong("gave a " + name_ + " on " + tensor().device().str() + " in place of " + other.device().str());
    return *this;
  }
  Given& finite() {
    if (!all_finite(tensor())) call_.wrong("gave a " + name_ + " with values that are NaN or infinite");
    return *this;
  }
  // In training divergence is the optimizer's matter, unless somebody looks for its beginning.
  Given& finite_unless_training(const perrin_call* told) {
    return told == nullptr || told->training == 0 || FindNonFinite::active() ? finite() : *this;
  }
  Given& with_graph(bool wanted) {
    if (wanted && at::GradMode::is_enabled() && !tensor().requires_grad())
      call_.wrong("gave a " + name_ + " without a graph: nothing can be learnt from it. Compute it from the inputs by "
                  "operators that have gradients, or by custom_grad, and do not detach it");
    return *this;
  }
  void give() {
    tensor();
    *to_ = owned_.release();
  }

 private:
  const Call& call_;
  std::string name_;
  perrin_tensor** to_;
  perrin_tensor* handle_ = nullptr;
  TensorHandle owned_;
};

// An array of handles in a room of its own.
class Handles : public Output {
 public:
  Handles(const Call& call, const char* name, size_t n) : Output(call, name, dummy_.data(), n * sizeof(perrin_tensor*)) {
    std::memset(room_, 0, bytes_);
  }
  perrin_tensor** data() const { return static_cast<perrin_tensor**>(Output::data()); }
  perrin_tensor* operator[](size_t i) const { return check_borders(), data()[i]; }

 private:
  static inline std::vector<std::byte> dummy_ = std::vector<std::byte>(1);
};

int64_t batch_of(perrin_tensor* x) {
  const at::Tensor& tensor = unwrap(x);
  return tensor.dim() == 0 ? 1 : tensor.size(0);
}

bool any_graph(uint32_t n, const perrin_named_tensor* inputs) {
  for (uint32_t i = 0; i < n; ++i)
    if (unwrap(inputs[i].tensor).requires_grad()) return true;
  return false;
}

// values [B] of a loss or of its opponent.
template <auto member>
void hold_values(const Raw<member>& call, const perrin_call* told, uint32_t n, const perrin_named_tensor* inputs,
                 perrin_tensor** values, bool graph) {
  const Handles out(call, "values", 1);
  Unchanged unchanged(call);
  unchanged.add(n, inputs);
  call(told, n, inputs, out.data());
  unchanged.check();
  Given given(call, "tensor of values", values);
  given.fill_from(out[0]);
  const at::Tensor& v = given.tensor();
  if (v.dim() != 1 || v.size(0) != static_cast<int64_t>(told->n))
    call.wrong("did not give one value per sample: shape " + c10::str(v.sizes()) + " for a batch of " +
               std::to_string(told->n));
  given.floating().with_graph(graph && told->training != 0);
  if (FindNonFinite::active()) given.finite();
  given.give();
}

template <auto member>
void hold_encoding(const Raw<member>& call, const perrin_call* told, perrin_tensor* x, perrin_tensor** result,
                   const char* name, const std::optional<perrin_spec>& spec) {
  const Handles out(call, name, 1);
  Unchanged unchanged(call);
  unchanged.add("x", x);
  call(told, x, out.data());
  unchanged.check();
  Given given(call, name, result);
  given.fill_from(out[0]);
  if (spec) given.shaped(with_batch(batch_of(x), *spec));
  given.floating().finite_unless_training(told);
  given.give();
}

}  // namespace

void Contract<&perrin_weighting::learnt>::hold(const Raw<&perrin_weighting::learnt>& call, const perrin_call* told,
                                               perrin_tensor* c_noise, perrin_tensor* values, perrin_tensor** trained) {
  const Handles out(call, "trained", 1);
  Unchanged unchanged(call);
  unchanged.add("c_noise", c_noise);
  unchanged.add("values", values);
  call(told, c_noise, values, out.data());
  unchanged.check();
  Given given(call, "tensor of values", trained);
  given.fill_from(out[0]);
  given.shaped(unwrap(values).sizes().vec()).floating().with_graph(unwrap(values).requires_grad());
  if (FindNonFinite::active()) given.finite();
  given.give();
}

void Contract<&perrin_guidance::combine>::hold(const Raw<&perrin_guidance::combine>& call, const perrin_time* at,
                                               perrin_tensor* conditional, perrin_tensor* unconditional,
                                               perrin_tensor** guided) {
  const Handles out(call, "guided", 1);
  Unchanged unchanged(call);
  unchanged.add("conditional", conditional);
  unchanged.add("unconditional", unconditional);
  call(at, conditional, unconditional, out.data());
  unchanged.check();
  Given given(call, "guided prediction", guided);
  given.fill_from(out[0]);
  if (perrin_tensor* one = conditional ? conditional : unconditional) given.like(unwrap(one));
  given.finite().give();
}

void Contract<&perrin_guidance::guide>::hold(const Raw<&perrin_guidance::guide>& call, const perrin_guidance_step* step,
                                             perrin_tensor** guided) {
  const Handles out(call, "guided", 1);
  Unchanged unchanged(call);
  for (const auto& [name, tensor] : {std::pair{"x", step->x}, {"conditional", step->conditional},
                                     {"unconditional", step->unconditional}, {"negative", step->negative},
                                     {"guide", step->guide}, {"gradient", step->gradient}})
    unchanged.add(name, tensor);
  call(step, out.data());
  unchanged.check();
  Given given(call, "guided prediction", guided);
  given.fill_from(out[0]);
  given.like(unwrap(step->x)).finite().give();
}

void Contract<&perrin_conditioner::encode>::hold(const Raw<&perrin_conditioner::encode>& call, const perrin_call* told,
                                                 uint32_t n_fields, const perrin_named_tensor* fields,
                                                 const uint8_t* drop, perrin_conditioning* conditioning) {
  class Room : public Output {
   public:
    Room(const Call& of, perrin_conditioning* to) : Output(of, "conditioning", to, sizeof(perrin_conditioning)) {
      std::memset(room_, 0, bytes_);
      data()->struct_size = sizeof(perrin_conditioning);
    }
    perrin_conditioning* data() const { return static_cast<perrin_conditioning*>(Output::data()); }
  } out(call, conditioning);
  Unchanged unchanged(call);
  unchanged.add(n_fields, fields);
  if (drop != nullptr) unchanged.add("drop", drop, told->n);
  call(told, n_fields, fields, drop, out.data());
  out.check_borders();
  unchanged.check();
  const auto& said = call.said.conditioning;
  std::deque<Given> all;
  const auto slot = [&](uint32_t bit, const char* name, perrin_tensor* handle, perrin_tensor** to, const perrin_spec* spec) {
    if (said && (said->slots & bit) == 0 && handle != nullptr)
      call.wrong("filled the slot " + std::string(name) + ", which it said it does not");
    if (handle == nullptr && (!said || (said->slots & bit) == 0)) return void(*to = nullptr);
    Given& given = all.emplace_back(call, std::string("condition in the slot ") + name, to);
    given.fill_from(handle);
    if (spec != nullptr) given.shaped(with_batch(told->n, *spec));
    given.floating().finite_unless_training(told);
  };
  const perrin_conditioning made = *out.data();
  slot(PERRIN_SLOT_VECTOR, "vector", made.vector, &conditioning->vector, said ? &said->vector : nullptr);
  slot(PERRIN_SLOT_SEQUENCE, "sequence", made.sequence, &conditioning->sequence, said ? &said->sequence : nullptr);
  slot(PERRIN_SLOT_CONCAT, "concat", made.concat, &conditioning->concat, said ? &said->concat : nullptr);
  for (Given& given : all) given.give();
}

void Contract<&perrin_encoder::encode>::hold(const Raw<&perrin_encoder::encode>& call, const perrin_call* told,
                                             perrin_tensor* x, perrin_tensor** z) {
  hold_encoding(call, told, x, z, "z", call.said.z);
}

void Contract<&perrin_encoder::decode>::hold(const Raw<&perrin_encoder::decode>& call, const perrin_call* told,
                                             perrin_tensor* z, perrin_tensor** x) {
  hold_encoding(call, told, z, x, "x", call.said.x);
}

void Contract<&perrin_encoder_training::encode>::hold(const Raw<&perrin_encoder_training::encode>& call,
                                                      const perrin_call* told, perrin_tensor* x, perrin_tensor** z,
                                                      perrin_tensor** outputs) {
  const Handles encoded(call, "z", 1), others(call, "outputs", call.said.outputs.size());
  Unchanged unchanged(call);
  unchanged.add("x", x);
  call(told, x, encoded.data(), others.data());
  unchanged.check();
  std::deque<Given> all;
  Given& first = all.emplace_back(call, "z", z);
  first.fill_from(encoded[0]);
  if (call.said.z) first.shaped(with_batch(batch_of(x), *call.said.z));
  first.floating().finite_unless_training(told);
  for (size_t i = 0; i < call.said.outputs.size(); ++i) {
    const perrin_encoder_output& output = call.said.outputs[i];
    Given& given = all.emplace_back(call, "tensor \"" + std::string(view(output.name)) + "\"", outputs + i);
    given.fill_from(others[i]);
    given.tensor();
    if (output.role == PERRIN_OUTPUT_TERM) given.shaped({batch_of(x)}).floating();
    if (FindNonFinite::active()) given.finite();
  }
  for (Given& given : all) given.give();
}

void Contract<&perrin_denoiser::forward>::hold(const Raw<&perrin_denoiser::forward>& call, const perrin_call* told,
                                               perrin_tensor* x, perrin_tensor* c_noise,
                                               const perrin_conditioning* conditioning, perrin_tensor** prediction) {
  const Handles out(call, "prediction", 1);
  Unchanged unchanged(call);
  unchanged.add("x", x);
  unchanged.add("c_noise", c_noise);
  if (conditioning != nullptr) {
    unchanged.add("vector", conditioning->vector);
    unchanged.add("sequence", conditioning->sequence);
    unchanged.add("concat", conditioning->concat);
  }
  call(told, x, c_noise, conditioning, out.data());
  unchanged.check();
  Given given(call, "prediction", prediction);
  given.fill_from(out[0]);
  if (call.said.prediction) given.shaped(with_batch(batch_of(x), *call.said.prediction));
  given.floating().finite_unless_training(told).give();
}

void Contract<&perrin_extractor::forward>::hold(const Raw<&perrin_extractor::forward>& call, const perrin_call* told,
                                                perrin_tensor* x, uint32_t n, const uint32_t* wanted,
                                                perrin_tensor** outputs) {
  const Handles out(call, "outputs", n);
  Unchanged unchanged(call);
  unchanged.add("x", x);
  call(told, x, n, wanted, out.data());
  unchanged.check();
  std::deque<Given> all;
  for (uint32_t i = 0; i < n; ++i) {
    Given& given = all.emplace_back(call, "layer number " + std::to_string(wanted[i]), outputs + i);
    given.fill_from(out[i]);
    if (wanted[i] < call.said.layer_specs.size()) given.shaped(with_batch(batch_of(x), call.said.layer_specs[wanted[i]]));
    given.floating().finite_unless_training(told);
  }
  for (Given& given : all) given.give();
}

void Contract<&perrin_loss::compute>::hold(const Raw<&perrin_loss::compute>& call, const perrin_call* told,
                                           uint32_t n_inputs, const perrin_named_tensor* inputs, perrin_tensor** values) {
  hold_values(call, told, n_inputs, inputs, values, any_graph(n_inputs, inputs));
}

void Contract<&perrin_adversary::oppose>::hold(const Raw<&perrin_adversary::oppose>& call, const perrin_call* told,
                                               uint32_t n_inputs, const perrin_named_tensor* inputs,
                                               perrin_tensor** values) {
  hold_values(call, told, n_inputs, inputs, values, true);
}

void Contract<&perrin_sampler::sample>::hold(const Raw<&perrin_sampler::sample>& call, const perrin_sampling* sampling,
                                             perrin_tensor* x, perrin_tensor** result) {
  const Handles out(call, "result", 1);
  Unchanged unchanged(call);
  unchanged.add("x", x);
  unchanged.add("times", sampling->times, (sampling->n_steps + size_t{1}) * sizeof(perrin_time));
  call(sampling, x, out.data());
  unchanged.check();
  Given given(call, "result", result);
  given.fill_from(out[0]);
  given.like(unwrap(x)).finite().give();
}

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
