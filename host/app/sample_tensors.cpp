#include "host/app/sample_tensors.hpp"

#include <list>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/model/tensor_file.hpp"
#include "host/services/finite.hpp"
#include "host/services/weights.hpp"
#include "host/store/weight_file.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

constexpr const char* kStart = "start";
constexpr std::string_view kConditions = "conditions.";

std::vector<int64_t> sizes_of(const perrin_spec& spec) { return {spec.sizes, spec.sizes + spec.rank}; }

std::string text(std::span<const int64_t> sizes) {
  return nlohmann::json(std::vector(sizes.begin(), sizes.end())).dump();
}

// The tensor, which has to be [n, sizes ...] of finite numbers.
at::Tensor checked(const store::TensorView& held, const std::vector<int64_t>& sizes, const std::string& file) {
  const std::string name = "tensor \"" + held.name + "\" ";
  if (held.shape.size() != sizes.size() + 1 || held.shape[0] < 1 ||
      !std::equal(sizes.begin(), sizes.end(), held.shape.begin() + 1))
    throw Error(name + "is " + text(held.shape) + ", and [n, ...] of " + text(sizes) + " is needed", file,
                "give tensors of this model", Exit::usage);
  const at::Tensor value = services::copy_of(held);
  if (!value.is_floating_point())
    throw Error(name + "is " + std::string(store::dtype_name(held.dtype)) + ", and real numbers are needed", file,
                "write it as F32", Exit::usage);
  if (!services::all_finite(value.to(at::kFloat)))
    throw Error(name + "has a value that is not finite", file, "write it again", Exit::usage);
  return value;
}

at::Tensor read_start(const model::Model& model, const std::string& file) {
  const store::SafeTensors held = store::open_weights(file);
  const std::vector<std::string> names = held.names();
  const store::TensorView* start = held.find(kStart);
  if (!start && names.size() == 1) start = held.find(names.front());
  if (!start)
    throw Error("no tensor is called \"start\", and there are " + std::to_string(names.size()), file,
                "give a file of --save-latents, or one with a single tensor", Exit::usage);
  return checked(*start, sizes_of(model.shapes.z), file).to(at::kFloat);
}

// The shape of the slot that a name such as "guide.conditional.sequence/conditional+unconditional" is of.
const perrin_spec& slot_of(const model::Model& model, const std::string& name, const std::string& file) {
  const bool guide = name.starts_with("guide.");
  const auto& spec = guide && model.guide ? model.guide->shapes.conditioning : model.shapes.conditioning;
  const std::string plain = name.substr(guide ? 6 : 0, name.find('/') - (guide ? 6 : 0));
  const size_t dot = plain.find('.');
  const std::string branch = plain.substr(0, dot), slot = dot == plain.npos ? "" : plain.substr(dot + 1);
  const bool known = branch == "conditional" || branch == "unconditional" || branch == "negative";
  if (spec && known) {
    if (slot == "vector" && spec->slots & PERRIN_SLOT_VECTOR) return spec->vector;
    if (slot == "sequence" && spec->slots & PERRIN_SLOT_SEQUENCE) return spec->sequence;
    if (slot == "concat" && spec->slots & PERRIN_SLOT_CONCAT) return spec->concat;
  }
  throw Error("the model has no condition \"" + name + "\"", file,
              "names are BRANCH.SLOT: conditional, unconditional or negative, and a slot that `perrin check` shows",
              Exit::usage);
}

sample::ConditionTensors read_conditions(const model::Model& model, const std::string& file) {
  if (!model.shapes.conditioning)
    throw Error("the model has no conditioner", "--conditions", "leave the option out", Exit::usage);
  const store::SafeTensors held = store::open_weights(file);
  sample::ConditionTensors all;
  for (const std::string& written : held.names()) {
    if (!written.starts_with(kConditions)) continue;
    const std::string name = written.substr(kConditions.size());
    const at::Tensor value = checked(*held.find(written), sizes_of(slot_of(model, name, file)), file);
    if (!all.empty() && all.begin()->second.size(0) != value.size(0))
      throw Error("its conditions are of different numbers of samples", file, "write them together", Exit::usage);
    all.emplace(name, value);
  }
  if (all.empty())
    throw Error("no tensor's name begins with \"conditions.\"", file, "give a file of --save-conditions", Exit::usage);
  return all;
}

void check_options(const model::Model& model, const Values& values) {
  const auto refuse = [](const std::string& what, const std::string& fix) { throw Error(what, "", fix, Exit::usage); };
  for (const char* other : {"prompt", "prompts", "negative", "image", "interpolate"})
    if (values.count("conditions") && values.count(other))
      refuse(std::string("--conditions and --") + other + " both say what is shown", "leave one of them out");
  if (values.count("latents") && values.count("interpolate"))
    refuse("--latents and --interpolate both give the noise", "leave one of them out");
  if (values.count("latents") && sample::inverts(model))
    refuse("--latents is noise, and the sampler \"" + model.sampler.id() + "\" begins at data", "leave --latents out");
  if (values.count("save-conditions") && !model.shapes.conditioning)
    refuse("--save-conditions: the model has no conditioner", "leave the option out");
}

}  // namespace

std::optional<int64_t> GivenTensors::count() const {
  if (start.defined()) return start.size(0);
  if (!conditions.empty()) return conditions.begin()->second.size(0);
  return std::nullopt;
}

GivenTensors read_tensors(const model::Model& model, const Values& values) {
  check_options(model, values);
  GivenTensors given;
  if (values.count("latents")) given.start = read_start(model, values["latents"].as<std::string>());
  if (values.count("conditions")) given.conditions = read_conditions(model, values["conditions"].as<std::string>());
  const std::optional<int64_t> n = given.count();
  const bool differ = given.start.defined() && !given.conditions.empty() &&
                      given.start.size(0) != given.conditions.begin()->second.size(0);
  if (differ || (n && values.count("count") && values["count"].as<int64_t>() != *n))
    throw Error("--latents, --conditions and --count are of different numbers of samples", "",
                "leave --count out, and give files of as many samples", Exit::usage);
  return given;
}

void write_tensors(const std::filesystem::path& file, const at::Tensor& samples, const sample::Request& request,
                   const Values& values) {
  std::vector<store::TensorView> tensors;
  const auto add = [&](const std::string& name, const at::Tensor& t) {
    tensors.push_back(model::tensor_view(name, t.sizes().vec(), t));
  };
  add("samples", samples);
  if (!request.labels.empty())
    tensors.push_back({"labels",
                       store::Dtype::i64,
                       {static_cast<int64_t>(request.labels.size())},
                       std::as_bytes(std::span(request.labels))});
  if (values.count("save-latents")) add(kStart, request.kept->noisy), add("latents", request.kept->clean);
  if (values.count("save-conditions"))
    for (const auto& [name, tensor] : request.kept->conditions) add(std::string(kConditions) + name, tensor);
  store::write_safetensors(file, tensors, {{"schema", "perrin.samples/1"}, {"seed", std::to_string(request.seed)}});
}

}  // namespace perrin::app
