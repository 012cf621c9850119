#include "script_file.hpp"

#include <ATen/core/grad_mode.h>
#include <c10/util/StringUtil.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/import_source.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "script_code.hpp"
#include "script_graph.hpp"
#include "script_pickle.hpp"

namespace {

using caffe2::serialize::PyTorchStreamReader;

constexpr size_t kMostText = size_t{8} << 20;  // bytes of each file of code/ and of each pickle

class Archive {
 public:
  explicit Archive(const std::string& file) : reader_(file), importer_(unit_, &constants_, code(), version()) {
    size_t bytes = 0;
    for (const std::string& name : reader_.getAllRecords())
      if (!name.ends_with(".debug_pkl")) bytes += reader_.getRecordSize(name);
    if (bytes > std::filesystem::file_size(file) + kMostText)
      throw std::runtime_error("it grows to more than its own size when it is read");
  }

  torch::jit::Module read() {
    if (!reader_.hasRecord("constants.pkl") || !reader_.hasRecord("data.pkl") || reader_.hasRecord("model.json"))
      throw std::runtime_error("it holds no TorchScript that this version knows; torch.jit.save writes it");
    const c10::IValue constants = pickle("constants");
    for (const c10::IValue& constant : constants.toTupleRef().elements()) {
      if (!constant.isTensor()) throw std::runtime_error("one of its constants is no tensor");
      constants_.push_back(constant);
    }
    try {
      torch::jit::Module module(pickle("data").toObject());
      check_script_functions(unit_->get_functions());
      return module;
    } catch (...) {
      unit_->drop_all_functions();  // those that were not compiled yet hold the importer, and so the unit itself
      throw;
    }
  }

 private:
  uint64_t version() const { return reader_.version(); }

  std::string text(const std::string& name) {
    const size_t size = reader_.getRecordSize(name);
    if (size > kMostText) throw std::runtime_error(name + " has more than 8 MiB");
    auto [data, bytes] = reader_.getRecord(name);
    return {static_cast<const char*>(data.get()), bytes};
  }

  torch::jit::SourceLoader code() {
    return [this](const std::string& qualifier) -> std::shared_ptr<torch::jit::Source> {
      std::string name = "code/" + qualifier;
      std::replace(name.begin(), name.end(), '.', '/');
      name += ".py";
      if (!reader_.hasRecord(name)) return nullptr;
      const std::string found = text(name);
      check_script_text(found, name);
      return std::make_shared<torch::jit::Source>(found, name, 1);
    };
  }

  c10::IValue pickle(const std::string& name) {
    const ScriptSource source{unit_, [this](const std::string& type) { return importer_.loadType(type); },
                              [this, name](const std::string& key) { return reader_.getRecord(name + "/" + key); }};
    return read_script_pickle(text(name + ".pkl"), source);
  }

  PyTorchStreamReader reader_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  std::vector<c10::IValue> constants_;
  torch::jit::SourceImporter importer_;
};

}  // namespace

torch::jit::Module read_script(const std::string& file) {
  const at::NoGradGuard no_grad;
  return Archive(file).read();
}
