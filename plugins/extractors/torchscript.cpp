// Any network as extractor, saved by torch.jit.save: images [B, C, H, W] in [-1, 1] in, layers out. A file that does
// more than compute is refused before anything of it runs (script_file.hpp).
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/zeros.h>
#include <perrin/host/artifact.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>

#include "images.hpp"
#include "script_file.hpp"
#include "script_graph.hpp"

namespace {

using perrin::Failure;
using perrin::Key;

constexpr int64_t kMostLoops = 100'000;  // rounds of all loops of one call

// The file's network and what it calls its layers.
struct Script {
  Script(const std::string& name, std::vector<std::string> given) : file(find(name)), names(std::move(given)) {
    try {
      module = read_script(file);
      module.eval();
    } catch (const std::exception& error) {
      std::string why(error.what());
      why.erase(0, why.find_first_not_of(" \n"));  // LibTorch begins some with an empty line
      throw Failure(PERRIN_INVALID_DATA,
                    file + " is no TorchScript file of a network: " + why.substr(0, why.find('\n')));
    }
    for (at::Tensor parameter : module.parameters()) parameter.set_requires_grad(false);
    if (names.empty()) names = names_of_result();
  }

  std::string file;
  mutable torch::jit::Module module;  // forward is not const
  std::vector<std::string> names;     // of the layers

 private:
  static std::string find(const std::string& name) {
    perrin_text path{};
    perrin::check(perrin::service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(perrin::text(name), &path));
    return std::string(perrin::view(path));
  }

  std::vector<std::string> names_of_result() const {
    const auto type = module.get_method("forward").function().getSchema().returns().at(0).type();
    if (type->kind() == c10::TypeKind::TensorType) return {"output"};
    std::vector<std::string> found;
    if (type->kind() == c10::TypeKind::DictType) found = keys_of_result();
    const auto tuple = type->cast<c10::TupleType>();
    if (!tuple && found.empty())
      throw Failure(PERRIN_INVALID_CONFIG, file + " gives a " + type->str() +
                                               ", whose names are not known before it runs: list them as layers");
    if (!tuple) return found;
    for (size_t i = 0; i < tuple->elements().size(); ++i)
      found.push_back(tuple->schema() ? tuple->schema()->arguments()[i].name() : "output" + std::to_string(i));
    return found;
  }

  // What the code itself names in the dictionary that it returns: {"a": x}, or result["a"] = x.
  std::vector<std::string> keys_of_result() const {
    using namespace torch::jit;
    const auto graph = toGraphFunction(module.get_method("forward").function()).graph()->copy();
    Inline(*graph);
    std::vector<std::string> found;
    const auto add = [&](const Value* key) {
      const auto name = toIValue(key);
      if (!name || !name->isString()) return;
      if (std::find(found.begin(), found.end(), name->toStringRef()) == found.end())
        found.push_back(name->toStringRef());
    };
    const Value* result = graph->outputs().at(0);
    const auto inputs = result->node()->inputs();
    if (result->node()->kind() == prim::DictConstruct)
      for (size_t i = 0; i < inputs.size(); i += 2) add(inputs[i]);
    for (const Use& use : result->uses())
      if (use.user->kind() == aten::_set_item && use.offset == 0) add(use.user->input(1));
    return found;
  }
};

class TorchScript : Script, public perrin::ExtractorLayers {
 public:
  static constexpr std::string_view id = "torchscript", version = "0.1.0";
  static constexpr std::string_view doc =
      "A network in a TorchScript file, frozen: it takes images [B, C, H, W] in [-1, 1] and gives a tensor, a tuple or "
      "a dictionary of tensors [B, ...].";
  static std::vector<Key> keys() {
    return {
        Key::string("file", nullptr, "what torch.jit.save wrote"),
        Key::strings("layers", "[]",
                     "names of the layers: of a dictionary its keys, of a tuple in its order; empty: output, or the "
                     "names of a named tuple or a dictionary, or output0, output1, ...")};
  }

  explicit TorchScript(const perrin::Config& config)
      : Script(config.string("file"), config.strings("layers")), ExtractorLayers(names) {}

  std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t) {
    const at::NoGradGuard no_grad;
    std::vector<int64_t> sizes(x.sizes, x.sizes + x.rank);
    sizes.insert(sizes.begin(), 1);
    std::vector<perrin_spec> specs;
    for (const at::Tensor& layer : run(at::zeros(sizes), images::text(x)))
      specs.push_back(images::spec(x, layer.sizes().slice(1).vec()));
    return specs;
  }

  // Everything is computed: what a script leaves out is not known.
  std::vector<at::Tensor> forward(const perrin_call&, const at::Tensor& x, const std::vector<uint32_t>& wanted) const {
    const std::vector<at::Tensor> all = run(x, "");
    std::vector<at::Tensor> asked;
    for (const uint32_t i : wanted) asked.push_back(all.at(i));
    return asked;
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  // x: [B, ...] -> every layer [B, ...]. `shape`: of an image, where the network may not take it.
  std::vector<at::Tensor> run(const at::Tensor& x, const std::string& shape) const {
    if (x.device() != device_) module.to(device_ = x.device());
    c10::IValue result;
    try {
      limit_script_loops(kMostLoops);
      result = module.forward({x.to(at::kFloat)});
    } catch (const std::exception& error) {
      if (shape.empty()) throw;
      const std::string why(error.what());
      throw Failure(PERRIN_INVALID_CONFIG, file + " does not take images " + shape + ": " + why.substr(0, 600));
    }
    std::vector<at::Tensor> found = tensors(result);
    for (at::Tensor& layer : found) {
      if (layer.dim() < 1 || layer.size(0) != x.size(0) || layer.dim() > 8)
        throw Failure(PERRIN_INVALID_DATA, file + " gives a layer " + c10::str(layer.sizes()) + " for " +
                                               std::to_string(x.size(0)) + " images: the first size has to be theirs");
      layer = layer.to(x.scalar_type());
    }
    return found;
  }

  std::vector<at::Tensor> tensors(const c10::IValue& result) const {
    std::vector<at::Tensor> found;
    if (result.isTensor()) found = {result.toTensor()};
    if (result.isTuple())
      for (const c10::IValue& element : result.toTupleRef().elements()) found.push_back(element.toTensor());
    if (result.isGenericDict())
      for (const std::string& name : layers()) {
        const auto entries = result.toGenericDict();
        if (!entries.contains(name)) throw Failure(PERRIN_INVALID_CONFIG, file + " gives no layer \"" + name + "\"");
        found.push_back(entries.at(name).toTensor());
      }
    if (found.size() != layers().size())
      throw Failure(PERRIN_INVALID_CONFIG, file + " gives " + std::to_string(found.size()) + " tensors for " +
                                               std::to_string(layers().size()) + " layers");
    return found;
  }

  mutable at::Device device_ = at::kCPU;
  perrin::Parameters p_;
};
PERRIN_EXTRACTOR(TorchScript);

}  // namespace
