// Contracts of what a component says of itself: names, shapes, fields, parameters. All of it is copied into the host's own
// memory before anybody uses it.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "host/config/text.hpp"
#include "host/services/contract.hpp"
#include "host/services/output.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

constexpr uint64_t kLongestName = 256;         // bytes
constexpr uint64_t kLongestText = 4096;
constexpr uint32_t kMostNames = 1024;
constexpr int64_t kMostElements = int64_t{1} << 31;  // of one sample
constexpr int64_t kMostValues = int64_t{1} << 36;    // of one parameter

template <class T>
class Answer : public Output {
 public:
  Answer(const Call& call, const char* name, T* to) : Output(call, name, to, sizeof(T)) {
    std::memset(room_, 0, sizeof(T));
  }
  T* data() const { return static_cast<T*>(Output::data()); }
  T& value() { return check_borders(), *reinterpret_cast<T*>(room_); }
};

std::string quoted(perrin_text text) { return config::quote(view(text), 80); }

// A text of the plugin's as one that the host keeps.
perrin_text kept(const Call& call, perrin_text given, const std::string& what, uint64_t longest = kLongestText) {
  if (given.data == nullptr && given.size > 0) call.wrong("gave NULL for " + what);
  if (given.size > longest)
    call.wrong("gave " + std::to_string(given.size) + " bytes for " + what + "; at most " + std::to_string(longest) +
               " are possible");
  if (given.size == 0) return {"", 0};
  const std::string copy(view(given));
  if (!config::is_utf8(copy)) call.wrong("gave " + what + " that is no UTF-8: " + config::quote(copy, 80));
  if (config::printable(copy) != copy || copy.find('\0') != std::string::npos)
    call.wrong("gave " + what + " with control characters: " + config::quote(copy, 80));
  const char* const mine = loader::keep_text(copy.c_str());
  return {mine, copy.size()};
}

perrin_text kept_name(const Call& call, perrin_text given, const std::string& what) {
  const perrin_text mine = kept(call, given, what, kLongestName);
  if (mine.size == 0) call.wrong("gave an empty text for " + what);
  return mine;
}

bool known_dtype(uint32_t dtype) {
  constexpr uint32_t kKnown[] = {PERRIN_UINT8,   PERRIN_INT32,   PERRIN_INT64, PERRIN_FLOAT16,
                                 PERRIN_FLOAT32, PERRIN_FLOAT64, PERRIN_BOOL,  PERRIN_BFLOAT16};
  return std::find(std::begin(kKnown), std::end(kKnown), dtype) != std::end(kKnown);
}

void check_shape(const Call& call, const std::string& what, uint32_t dtype, uint32_t rank, const int64_t* sizes,
                 int64_t most) {
  if (!known_dtype(dtype)) call.wrong("gave " + what + " the dtype number " + std::to_string(dtype) + ", which there is not");
  if (rank > PERRIN_MAX_RANK)
    call.wrong("gave " + what + " " + std::to_string(rank) + " dimensions; at most " + std::to_string(PERRIN_MAX_RANK) +
               " are possible");
  int64_t elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    if (sizes[i] < 1 || sizes[i] > most / elements)
      call.wrong("gave " + what + " the size " + std::to_string(sizes[i]) + " in dimension " + std::to_string(i) +
                 (sizes[i] < 1 ? "" : ", more than " + std::to_string(most) + " values"));
    elements *= sizes[i];
  }
}

// `spec` becomes the host's own.
void keep(const Call& call, perrin_spec& spec, const std::string& what) {
  spec.name = kept(call, spec.name, "the name of " + what, kLongestName);
  check_shape(call, what + (spec.name.size ? " " + quoted(spec.name) : ""), spec.dtype, spec.rank, spec.sizes,
              kMostElements);
}

// A list that the plugin names by pointer and number, as one of the host's; `adopt` checks and copies each.
template <class T, auto member, class Adopt>
std::vector<T> listed(const Raw<member>& call, const char* what, Adopt adopt, uint32_t least) {
  uint32_t n_to = 0;
  const T* list_to = nullptr;
  Answer<uint32_t> n(call, "n", &n_to);
  Answer<const T*> list(call, what, &list_to);
  call(n.data(), list.data());
  const uint32_t given = n.value();
  if (given < least || given > kMostNames)
    call.wrong("gave " + std::to_string(given) + " " + what + "; " + std::to_string(least) + " to " +
               std::to_string(kMostNames) + " are possible");
  if (given > 0 && list.value() == nullptr) call.wrong("gave NULL for its " + std::string(what));
  const loader::Inside mark = call.reading();
  std::vector<T> copies;
  for (uint32_t i = 0; i < given; ++i) copies.push_back(adopt(list.value()[i], i));
  return copies;
}

std::vector<perrin_text> keep_names(std::vector<perrin_text> names, const Call& call, const char* what) {
  std::set<std::string_view> seen;
  for (const perrin_text& name : names)
    if (!seen.insert(view(name)).second) call.wrong("gave " + std::string(what) + " " + quoted(name) + " twice");
  return names;
}

template <auto member>
std::vector<perrin_text> names_of(const Raw<member>& call, const char* what, uint32_t least) {
  auto names = listed<perrin_text>(
      call, what, [&](const perrin_text& given, uint32_t) { return kept_name(call, given, std::string("one of its ") + what); },
      least);
  return keep_names(std::move(names), call, what);
}

perrin_field adopted(const Call& call, const perrin_field& given, uint32_t i) {
  const std::string what = "field " + std::to_string(i);
  if (given.struct_size < sizeof(perrin_field))
    call.wrong("gave a perrin_field of " + std::to_string(given.struct_size) + " bytes; it has " +
               std::to_string(sizeof(perrin_field)));
  perrin_field field = given;
  field.spec.name = kept_name(call, field.spec.name, "the name of " + what);
  keep(call, field.spec, what);
  if (!std::isfinite(field.scale) || !std::isfinite(field.offset))
    call.wrong("gave " + what + " a scale or offset that is not finite");
  if (field.n_classes > uint64_t{1} << 31) call.wrong("gave " + what + " " + std::to_string(field.n_classes) + " classes");
  return field;
}

template <auto member>
perrin_text answer_text(const Raw<member>& call, const char* what) {
  perrin_text to{};
  Answer<perrin_text> out(call, what, &to);
  call(out.data());
  const loader::Inside mark = call.reading();
  return kept(call, out.value(), what);
}

}  // namespace

void Contract<&perrin_dataset::fields>::hold(const Raw<&perrin_dataset::fields>& call, uint32_t* n,
                                             const perrin_field** fields) {
  auto list = listed<perrin_field>(
      call, "fields", [&](const perrin_field& given, uint32_t i) { return adopted(call, given, i); }, 1);
  std::vector<perrin_text> names;
  for (const perrin_field& field : list) names.push_back(field.spec.name);
  keep_names(names, call, "the field");
  std::lock_guard lock(call.said.mutex);
  if (!call.said.fields) call.said.fields = std::move(list);  // static for the instance's life
  *n = static_cast<uint32_t>(call.said.fields->size());
  *fields = call.said.fields->data();
}

void Contract<&perrin_guide_model::checkpoint>::hold(const Raw<&perrin_guide_model::checkpoint>& call, perrin_text* path) {
  *path = answer_text(call, "path");
}

void Contract<&perrin_conditioner::infer>::hold(const Raw<&perrin_conditioner::infer>& call, uint32_t n_fields,
                                                const perrin_field* fields, perrin_conditioning_spec* spec) {
  Answer<perrin_conditioning_spec> out(call, "spec", spec);
  out.value().struct_size = sizeof(perrin_conditioning_spec);
  call(n_fields, fields, out.data());
  const loader::Inside mark = call.reading();
  perrin_conditioning_spec& given = out.value();
  constexpr uint32_t kKnown = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_CONCAT;
  if ((given.slots & ~kKnown) != 0) call.wrong("says that it fills unknown slots: " + std::to_string(given.slots));
  const auto slot = [&](uint32_t bit, perrin_spec& of, const char* name, uint32_t rank) {
    if ((given.slots & bit) == 0) return void(of = {});
    keep(call, of, std::string("the slot ") + name);
    if (of.rank != rank)
      call.wrong("gave the slot " + std::string(name) + " " + std::to_string(of.rank) + " dimensions; it has " +
                 std::to_string(rank));
    if (of.name.size == 0) of.name = text(name);
  };
  slot(PERRIN_SLOT_VECTOR, given.vector, "vector", 1);
  slot(PERRIN_SLOT_SEQUENCE, given.sequence, "sequence", 2);
  slot(PERRIN_SLOT_CONCAT, given.concat, "concat", 3);
  out.take();
  call.said.conditioning = *spec;
}

void Contract<&perrin_encoder::infer>::hold(const Raw<&perrin_encoder::infer>& call, const perrin_spec* x, perrin_spec* z) {
  Answer<perrin_spec> out(call, "z", z);
  call(x, out.data());
  {
    const loader::Inside mark = call.reading();
    keep(call, out.value(), "z");
  }
  out.take();
  call.said.x = *x;
  call.said.z = *z;
}

void Contract<&perrin_encoder_training::outputs>::hold(const Raw<&perrin_encoder_training::outputs>& call, uint32_t* n,
                                                       const perrin_encoder_output** outputs) {
  auto list = listed<perrin_encoder_output>(
      call, "outputs",
      [&](const perrin_encoder_output& given, uint32_t) {
        if (given.role > PERRIN_OUTPUT_TERM) call.wrong("gave an output the unknown role " + std::to_string(given.role));
        return perrin_encoder_output{kept_name(call, given.name, "the name of an output"), given.role, 0};
      },
      0);
  std::vector<perrin_text> names;
  for (const perrin_encoder_output& output : list) names.push_back(output.name);
  keep_names(names, call, "the output");
  std::lock_guard lock(call.said.mutex);
  if (call.said.outputs.empty()) call.said.outputs = std::move(list);
  *n = static_cast<uint32_t>(call.said.outputs.size());
  *outputs = call.said.outputs.data();
}

void Contract<&perrin_encoder_training::last_layer>::hold(const Raw<&perrin_encoder_training::last_layer>& call,
                                                          perrin_text* name) {
  *name = answer_text(call, "name");
}

void Contract<&perrin_denoiser::infer>::hold(const Raw<&perrin_denoiser::infer>& call, const perrin_spec* x,
                                             const perrin_conditioning_spec* conditioning, perrin_spec* prediction) {
  Answer<perrin_spec> out(call, "prediction", prediction);
  call(x, conditioning, out.data());
  {
    const loader::Inside mark = call.reading();
    keep(call, out.value(), "the prediction");
  }
  out.take();
  call.said.prediction = *prediction;
}

void Contract<&perrin_extractor::layers>::hold(const Raw<&perrin_extractor::layers>& call, uint32_t* n,
                                               const perrin_text** names) {
  auto list = names_of(call, "layers", 1);
  std::lock_guard lock(call.said.mutex);
  if (!call.said.layers) call.said.layers = std::move(list);
  *n = static_cast<uint32_t>(call.said.layers->size());
  *names = call.said.layers->data();
}

void Contract<&perrin_extractor::infer>::hold(const Raw<&perrin_extractor::infer>& call, const perrin_spec* x,
                                              uint64_t n_classes, perrin_spec* layers) {
  const size_t n = call.said.layers ? call.said.layers->size() : 0;
  if (n == 0) call.wrong("was asked for its shapes before its layers");
  class Specs : public Output {
   public:
    Specs(const Call& of, perrin_spec* to, size_t number) : Output(of, "layers", to, number * sizeof(perrin_spec)) {
      std::memset(room_, 0, bytes_);
    }
    perrin_spec* data() const { return static_cast<perrin_spec*>(Output::data()); }
  } out(call, layers, n);
  call(x, n_classes, out.data());
  out.check_borders();
  {
    const loader::Inside mark = call.reading();
    for (size_t i = 0; i < n; ++i) keep(call, out.data()[i], "layer " + quoted((*call.said.layers)[i]));
  }
  out.take();
  call.said.layer_specs.assign(layers, layers + n);
}

void Contract<&perrin_loss_inputs::names>::hold(const Raw<&perrin_loss_inputs::names>& call, uint32_t* n,
                                                const perrin_text** names) {
  auto list = names_of(call, "inputs", 1);
  std::lock_guard lock(call.said.mutex);
  if (call.said.texts.empty()) call.said.texts = std::move(list);
  *n = static_cast<uint32_t>(call.said.texts.size());
  *names = call.said.texts.data();
}

// The names are columns of the results file and their number sizes a buffer, so they stay what they were.
void Contract<&perrin_trace::names>::hold(const Raw<&perrin_trace::names>& call, uint32_t* n,
                                          const perrin_trace_value** names) {
  auto list = listed<perrin_trace_value>(
      call, "trace names",
      [&](const perrin_trace_value& given, uint32_t) {
        const perrin_text name = kept_name(call, given.name, "the name of a number");
        const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
        if (!std::ranges::all_of(view(name), plain))
          call.wrong("calls a number " + quoted(name) + "; letters, digits and _ are possible");
        return perrin_trace_value{name, kept(call, given.unit, "a unit", kLongestName), kept(call, given.doc, "a doc")};
      },
      0);
  std::vector<perrin_text> plain;
  for (const perrin_trace_value& value : list) plain.push_back(value.name);
  keep_names(plain, call, "the number");
  std::lock_guard lock(call.said.mutex);
  auto& said = call.said.trace;
  if (!said) said = std::move(list);
  else if (!std::ranges::equal(*said, list, {}, [](const auto& v) { return view(v.name); }, [](const auto& v) { return view(v.name); }))
    call.wrong("gave other names of its numbers than before (" + std::to_string(said->size()) + ", now " +
               std::to_string(list.size()) + ")");
  *n = static_cast<uint32_t>(said->size());
  *names = said->data();
}

void Contract<&perrin_state::save>::hold(const Raw<&perrin_state::save>& call, uint64_t* n, const uint8_t** bytes) {
  uint64_t n_to = 0;
  const uint8_t* bytes_to = nullptr;
  Answer<uint64_t> size(call, "n", &n_to);
  Answer<const uint8_t*> data(call, "bytes", &bytes_to);
  call(size.data(), data.data());
  if (size.value() > uint64_t{1} << 36) call.wrong("has a state of " + std::to_string(size.value()) + " bytes");
  if (size.value() > 0 && data.value() == nullptr) call.wrong("gave NULL for its state");
  const loader::Inside mark = call.reading();
  call.said.state.assign(data.value(), data.value() + size.value());
  *n = call.said.state.size();
  *bytes = call.said.state.data();
}

namespace {

// Stands between the plugin and the caller's sink.
struct Declared {
  const Call& call;
  const perrin_param_sink* sink;
};

perrin_param adopted(const Call& call, const perrin_param& given) {
  if (given.struct_size < offsetof(perrin_param, normalise))
    call.wrong("declares a perrin_param of " + std::to_string(given.struct_size) + " bytes");
  perrin_param p{};
  std::memcpy(&p, &given, std::min<size_t>(given.struct_size, sizeof p));
  p.struct_size = static_cast<uint32_t>(std::min<size_t>(given.struct_size, sizeof p));
  p.name = kept_name(call, p.name, "the name of a parameter");
  p.tie_to = kept(call, p.tie_to, "the name of a tied parameter", kLongestName);
  const std::string what = "the parameter " + quoted(p.name);
  check_shape(call, what, p.dtype, p.rank, p.sizes, kMostValues);
  if (p.role > PERRIN_SCRATCH) call.wrong("gave " + what + " the unknown role " + std::to_string(p.role));
  if (p.init > PERRIN_INIT_GIVEN) call.wrong("gave " + what + " the unknown init " + std::to_string(p.init));
  if (!std::isfinite(p.init_a)) call.wrong("gave " + what + " an init_a that is not finite");
  if (p.given != nullptr && !alive(p.given)) call.wrong("gave " + what + " initial values that are no living tensor");
  if (p.given != nullptr && unwrap(p.given).sizes() != at::IntArrayRef(p.sizes, p.rank))
    call.wrong("gave " + what + " initial values " + c10::str(unwrap(p.given).sizes()) + " where its shape is " +
               c10::str(at::IntArrayRef(p.sizes, p.rank)));
  return p;
}

perrin_status* declare(void* context, const perrin_param* given) {
  perrin_status* of_sink = nullptr;
  perrin_status* of_contract = as_status([&] {
    const auto& to = *static_cast<const Declared*>(context);
    if (given == nullptr) to.call.wrong("declares NULL");
    const perrin_param p = adopted(to.call, *given);
    of_sink = to.sink->declare(to.sink->context, &p);
  });
  return of_contract ? of_contract : of_sink;
}

}  // namespace

void Contract<&perrin_params::declare>::hold(const Raw<&perrin_params::declare>& call, const perrin_param_sink* sink) {
  Declared between{call, sink};
  const perrin_param_sink own = {sizeof own, 0, &between, services::declare};
  call(&own);
}

}  // namespace perrin::services
