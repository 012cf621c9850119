// Opens trained extractors for losses and metrics.
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <c10/util/StringUtil.h>

#include <map>
#include <memory>
#include <optional>

#include "host/config/catalogue.hpp"
#include "host/services/component.hpp"
#include "host/services/extractor_file.hpp"
#include "host/services/extractor_weights.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

using perrin::services::Component;
using perrin::services::ExtractorWeights;

struct perrin_open_extractor {
  Component component;
  std::shared_ptr<ExtractorWeights> weights;  // null: the extractor reads its file itself
  std::string file;
  perrin_spec x = {};
  std::vector<perrin_text> layers = {};  // the component's
  std::vector<perrin_spec> specs = {};
  std::vector<at::Tensor> parameters = {};  // as declared, float32
  at::ScalarType bound = at::kFloat;
};

namespace perrin::services {
namespace {

constexpr std::string_view kKind = "extractor";

std::string shape(const perrin_spec& x) { return c10::str(at::IntArrayRef(x.sizes, x.rank)); }

std::string find_file(perrin_text name) {
  if (name.size == 0) throw Fault(PERRIN_INVALID_CONFIG, "no file of the extractor's weights is named");
  perrin_text path{};
  check(artifact_table.find(name, &path), {});
  return std::string(view(path));
}

Component create(const Offer& offer, std::map<std::string, config::Value> values) {
  return Component(*offer.library, *offer.library->find(kKind, offer.factory.id), std::string(kKind), std::move(values),
                   0, Session::here().shared_from_this());
}

// Of an extractor that is not in safetensors: it has a key "file" and reads it itself.
std::unique_ptr<perrin_open_extractor> of_own_format(const Offer& offer, const std::string& file) {
  config::Factory factory = offer.factory;
  for (config::Key& key : factory.keys)
    if (key.name == "file") key.default_value = file, key.required = false;
  auto component = create(offer, extractor_values(factory, "", file));
  return std::unique_ptr<perrin_open_extractor>(new perrin_open_extractor{std::move(component), nullptr, file});
}

// What the file is of, which `named`, if the caller named one, has to agree with.
Offer offer_of(const ExtractorWeights& weights, const Offer* named) {
  const std::string held = weights.metadata(kExtractorId);
  if (held.empty() && named == nullptr)
    throw Fault(PERRIN_INVALID_DATA, weights.file() +
                                         " does not say which extractor its weights are of: its metadata have no \"" +
                                         kExtractorId + "\"; name the extractor, such as vgg");
  if (held.empty()) return *named;
  const Offer offer = Session::here().find_component(std::string(kKind), held);
  if (config::find_key(offer.factory.keys, "file"))
    throw Fault(PERRIN_INVALID_DATA, weights.file() + " says that it is of the extractor \"" + held +
                                         "\", which reads another file: weights lead to nothing else; name the "
                                         "extractor and its file in the experiment");
  if (named != nullptr && named->factory.id != offer.factory.id)
    throw Fault(PERRIN_INVALID_CONFIG, weights.file() + " has weights of the extractor \"" + held + "\", not of \"" +
                                           named->factory.id + "\"");
  return offer;
}

std::unique_ptr<perrin_open_extractor> make(const std::string& use, const std::string& file) {
  std::optional<Offer> named;
  if (!use.empty()) named = Session::here().find_component(std::string(kKind), use);
  if (named && config::find_key(named->factory.keys, "file")) return of_own_format(*named, file);
  auto weights = ExtractorWeights::of(file);
  const Offer offer = offer_of(*weights, named ? &*named : nullptr);
  auto component = create(offer, extractor_values(offer.factory, weights->metadata(kExtractorConfig), file));
  return std::unique_ptr<perrin_open_extractor>(
      new perrin_open_extractor{std::move(component), std::move(weights), file});
}

void infer(perrin_open_extractor& self) {
  uint64_t classes = 0;
  if (self.weights) {
    const int64_t channels = extractor_channels(self.weights->metadata(kExtractorInput), self.file);
    if (channels != 0 && (self.x.rank == 0 || self.x.sizes[0] != channels))
      throw Fault(PERRIN_INVALID_CONFIG, self.file + " was trained on images " +
                                             self.weights->metadata(kExtractorInput) + ", and these are " +
                                             shape(self.x) + ": the channels differ");
    classes = extractor_classes(self.weights->metadata(kExtractorClasses), self.file);
  }
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  self.component.invoke<&perrin_extractor::layers>(&n, &names);
  self.layers.assign(names, names + n);
  self.specs.resize(n);
  self.component.invoke<&perrin_extractor::infer>(&self.x, classes, self.specs.data());
  for (uint32_t i = 0; i < n; ++i) self.specs[i].name = self.layers[i];
}

// What the component declares, in order.
struct Collector {
  perrin_open_extractor& self;
  std::map<std::string, at::Tensor> by_name;
};

at::Tensor value_of(const Collector& collector, const perrin_param& p, const std::string& name) {
  const at::IntArrayRef sizes(p.sizes, p.rank);
  if (p.tie_to.size > 0) return collector.by_name.at(std::string(view(p.tie_to)));
  if (p.role != PERRIN_SCRATCH && collector.self.weights) return collector.self.weights->get(name, sizes);
  const auto options = at::TensorOptions(at::kFloat).device(Session::here().device());
  if (p.given == nullptr) return at::full(sizes, p.init == PERRIN_INIT_CONSTANT ? p.init_a : 0, options);
  return unwrap(p.given).detach().to(options.device(), at::kFloat, false, true);
}

perrin_status* collect(void* context, const perrin_param* p) {
  return as_status([&] {
    auto& collector = *static_cast<Collector*>(context);
    const std::string name(view(p->name));
    collector.by_name[name] = collector.self.parameters.emplace_back(value_of(collector, *p, name));
  });
}

void bind(perrin_open_extractor& self, at::ScalarType dtype) {
  std::vector<TensorHandle> handles;
  std::vector<perrin_tensor*> tensors;
  for (const at::Tensor& p : self.parameters) tensors.push_back(handles.emplace_back(wrap(p.to(dtype))).get());
  self.component.invoke<&perrin_params::bind>(static_cast<uint32_t>(tensors.size()), tensors.data());
  self.bound = dtype;
}

void fill(perrin_open_extractor& self) {
  if (!self.component.extension<perrin_params>()) return;
  Collector collector{self, {}};
  const perrin_param_sink sink{sizeof sink, 0, &collector, collect};
  self.component.invoke<&perrin_params::declare>(&sink);
  if (self.weights) self.weights->close_file();
  bind(self, at::kFloat);
}

perrin_status* open(perrin_text use, perrin_text weights, const perrin_spec* x, perrin_open_extractor** extractor) {
  return as_status([&] {
    auto opened = make(checked(use, "the extractor's name"), find_file(weights));
    opened->x = *x;
    infer(*opened);
    fill(*opened);
    *extractor = opened.release();
  });
}

void close(perrin_open_extractor* extractor) { delete extractor; }

perrin_status* layers(perrin_open_extractor* extractor, uint32_t* n, const perrin_text** names,
                      const perrin_spec** specs) {
  *n = static_cast<uint32_t>(extractor->layers.size());
  *names = extractor->layers.data();
  *specs = extractor->specs.data();
  return nullptr;
}

// Of the images' shape; the numbers asked for exist and ascend.
void check_call(const perrin_open_extractor& self, const at::Tensor& x, uint32_t n, const uint32_t* wanted) {
  if (x.dim() != self.x.rank + 1 || x.sizes().slice(1) != at::IntArrayRef(self.x.sizes, self.x.rank))
    throw Fault(PERRIN_INVALID_DATA, "the extractor \"" + self.component.id() + "\" was opened for images " +
                                         shape(self.x) + " and given a batch " + c10::str(x.sizes()));
  for (uint32_t i = 0; i < n; ++i)
    if (wanted[i] >= self.layers.size() || (i > 0 && wanted[i] <= wanted[i - 1]))
      throw Fault(PERRIN_INVALID_DATA,
                  "layer numbers have to ascend and be below " + std::to_string(self.layers.size()));
}

perrin_status* forward(perrin_open_extractor* extractor, const perrin_call* call, perrin_tensor* x, uint32_t n,
                       const uint32_t* wanted, perrin_tensor** outputs) {
  return as_status([&] {
    const at::ScalarType dtype = unwrap(x).scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    check_call(*extractor, unwrap(x), n, wanted);
    if (dtype != extractor->bound && !extractor->parameters.empty()) bind(*extractor, dtype);
    extractor->component.invoke<&perrin_extractor::forward>(call, x, n, wanted, outputs);
    for (uint32_t i = 0; i < n; ++i) outputs[i] = lend(TensorHandle(outputs[i]));
  });
}

}  // namespace

const perrin_host_extractor extractor_table = {sizeof(perrin_host_extractor), 0, open, close, layers, forward};

}  // namespace perrin::services
