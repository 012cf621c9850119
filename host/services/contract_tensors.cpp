// Contracts of the functions that give tensors.
#include <deque>

#include "host/services/contract.hpp"
#include "host/services/given.hpp"

namespace perrin::services {
namespace {

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
  One one(call, "values", "tensor of values", values);
  one.inputs.add(n, inputs);
  Given& given = one.by([&](perrin_tensor** out) { call(told, n, inputs, out); });
  const at::Tensor& v = given.tensor();
  if (v.dim() != 1 || v.size(0) != static_cast<int64_t>(told->n))
    call.wrong("did not give one value per sample: shape " + c10::str(v.sizes()) + " for a batch of " +
               std::to_string(told->n));
  given.floating().with_graph(graph && told->training != 0).finite_if_looked_for().give();
}

template <auto member>
void hold_encoding(const Raw<member>& call, const perrin_call* told, perrin_tensor* x, perrin_tensor** result,
                   const char* name, const std::optional<perrin_spec>& spec) {
  One one(call, name, name, result);
  one.inputs.add("x", x);
  Given& given = one.by([&](perrin_tensor** out) { call(told, x, out); });
  if (spec) given.shaped(batch_sizes(*spec, batch_of(x)));
  given.floating().finite_unless_training(told);
  given.give();
}

}  // namespace

void Contract<&perrin_weighting::learnt>::hold(const Raw<&perrin_weighting::learnt>& call, const perrin_call* told,
                                               perrin_tensor* c_noise, perrin_tensor* values, perrin_tensor** trained) {
  One one(call, "trained", "tensor of values", trained);
  one.inputs.add("c_noise", c_noise);
  one.inputs.add("values", values);
  Given& given = one.by([&](perrin_tensor** out) { call(told, c_noise, values, out); });
  given.shaped(unwrap(values).sizes().vec()).floating().with_graph(unwrap(values).requires_grad());
  given.finite_if_looked_for().give();
}

void Contract<&perrin_guidance::combine>::hold(const Raw<&perrin_guidance::combine>& call, const perrin_time* at,
                                               perrin_tensor* conditional, perrin_tensor* unconditional,
                                               perrin_tensor** guided) {
  One one(call, "guided", "guided prediction", guided);
  one.inputs.add("conditional", conditional);
  one.inputs.add("unconditional", unconditional);
  Given& given = one.by([&](perrin_tensor** out) { call(at, conditional, unconditional, out); });
  if (perrin_tensor* seen = conditional ? conditional : unconditional) given.like(unwrap(seen));
  given.finite().give();
}

void Contract<&perrin_guidance::guide>::hold(const Raw<&perrin_guidance::guide>& call, const perrin_guidance_step* step,
                                             perrin_tensor** guided) {
  One one(call, "guided", "guided prediction", guided);
  for (const auto& [name, tensor] : {std::pair{"x", step->x}, {"conditional", step->conditional},
                                     {"unconditional", step->unconditional}, {"negative", step->negative},
                                     {"guide", step->guide}, {"gradient", step->gradient}})
    one.inputs.add(name, tensor);
  Given& given = one.by([&](perrin_tensor** out) { call(step, out); });
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
    ~Room() {
      for (perrin_tensor* given : {data()->vector, data()->sequence, data()->concat}) drop_given(given);
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
    if (spec != nullptr) given.shaped(batch_sizes(*spec, told->n));
    given.floating().finite_unless_training(told);
  };
  const perrin_conditioning made = std::exchange(*out.data(), perrin_conditioning{});
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
  Handles encoded(call, "z", 1), others(call, "outputs", call.said.outputs.size());
  Unchanged unchanged(call);
  unchanged.add("x", x);
  call(told, x, encoded.data(), others.data());
  unchanged.check();
  std::deque<Given> all;
  Given& first = all.emplace_back(call, "z", z);
  first.fill_from(encoded.take(0));
  if (call.said.z) first.shaped(batch_sizes(*call.said.z, batch_of(x)));
  first.floating().finite_unless_training(told);
  for (size_t i = 0; i < call.said.outputs.size(); ++i) {
    const perrin_encoder_output& output = call.said.outputs[i];
    Given& given = all.emplace_back(call, "tensor \"" + std::string(view(output.name)) + "\"", outputs + i);
    given.fill_from(others.take(i));
    given.tensor();
    if (output.role == PERRIN_OUTPUT_TERM) given.shaped({batch_of(x)}).floating();
    given.finite_if_looked_for();
  }
  for (Given& given : all) given.give();
}

void Contract<&perrin_denoiser::forward>::hold(const Raw<&perrin_denoiser::forward>& call, const perrin_call* told,
                                               perrin_tensor* x, perrin_tensor* c_noise,
                                               const perrin_conditioning* conditioning, perrin_tensor** prediction) {
  One one(call, "prediction", "prediction", prediction);
  one.inputs.add("x", x);
  one.inputs.add("c_noise", c_noise);
  if (conditioning != nullptr) {
    one.inputs.add("vector", conditioning->vector);
    one.inputs.add("sequence", conditioning->sequence);
    one.inputs.add("concat", conditioning->concat);
  }
  Given& given = one.by([&](perrin_tensor** out) { call(told, x, c_noise, conditioning, out); });
  if (call.said.prediction) given.shaped(batch_sizes(*call.said.prediction, batch_of(x)));
  given.floating().finite_unless_training(told).give();
}

void Contract<&perrin_extractor::forward>::hold(const Raw<&perrin_extractor::forward>& call, const perrin_call* told,
                                                perrin_tensor* x, uint32_t n, const uint32_t* wanted,
                                                perrin_tensor** outputs) {
  Handles out(call, "outputs", n);
  Unchanged unchanged(call);
  unchanged.add("x", x);
  call(told, x, n, wanted, out.data());
  unchanged.check();
  std::deque<Given> all;
  for (uint32_t i = 0; i < n; ++i) {
    Given& given = all.emplace_back(call, "layer number " + std::to_string(wanted[i]), outputs + i);
    given.fill_from(out.take(i));
    if (wanted[i] < call.said.layer_specs.size()) given.shaped(batch_sizes(call.said.layer_specs[wanted[i]], batch_of(x)));
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
  One one(call, "result", "result", result);
  one.inputs.add("x", x);
  one.inputs.add("times", sampling->times, (sampling->n_steps + size_t{1}) * sizeof(perrin_time));
  Given& given = one.by([&](perrin_tensor** out) { call(sampling, x, out); });
  given.like(unwrap(x)).finite().give();
}

}  // namespace perrin::services
