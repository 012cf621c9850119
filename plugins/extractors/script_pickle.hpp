// The pickles of a TorchScript file as values. Nothing runs: LibTorch's own reader calls what the file names, takes a
// tensor's shape without asking how long its storage is, and an attribute's value without asking for its type.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/compilation_unit.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>

struct ScriptSource {
  std::shared_ptr<torch::jit::CompilationUnit> unit;
  std::function<c10::TypePtr(const std::string&)> type;  // of a name in the file's code; throws std::exception
  // The bytes of a tensor's storage, by the name that a pickle gives it; throws std::exception.
  std::function<std::tuple<at::DataPtr, size_t>(const std::string&)> storage;
};

// The one value of a pickle. std::runtime_error says what a file of torch.jit.save cannot have.
c10::IValue read_script_pickle(const std::string& pickle, const ScriptSource& source);
