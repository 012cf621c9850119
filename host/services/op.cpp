// LibTorch's operators by name, called boxed through the dispatcher: autograd and autocast see an ordinary call.
#include "host/services/op.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <map>
#include <mutex>

#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

struct perrin_op {
  c10::OperatorHandle handle;
  const c10::FunctionSchema* schema;
  std::string name;  // "aten::add.Tensor"
};

namespace perrin::services {
namespace {

bool returns_tensors(const c10::FunctionSchema& schema) {
  for (const auto& result : schema.returns())
    if (result.type()->kind() != c10::TypeKind::TensorType) return false;
  return !schema.is_varret();
}

const perrin_op* look_up(const std::string& name, const std::string& overload) {
  static auto* cache = new std::map<std::pair<std::string, std::string>, std::unique_ptr<perrin_op>>;
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  auto& entry = (*cache)[{name, overload}];
  if (entry != nullptr) return entry.get();
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  std::string full = overload.empty() ? name : name + "." + overload;
  if (!handle)
    throw Fault(PERRIN_UNSUPPORTED, "LibTorch has no operator " + full + " (name and overload as in its schema)");
  if (!returns_tensors(handle->schema()))
    throw Fault(PERRIN_UNSUPPORTED, full + " returns something that is not a tensor");
  entry = std::make_unique<perrin_op>(perrin_op{*handle, &handle->schema(), full});
  return entry.get();
}

perrin_status* find(perrin_text name, perrin_text overload, const perrin_op** op) {
  return as_status([&] { *op = look_up(checked(name, "an operator's name"), checked(overload, "an overload's name")); });
}

size_t position(const perrin_op& op, const perrin_argument& given, uint32_t i) {
  const auto& wanted = op.schema->arguments();
  if (given.name.data == nullptr && given.name.size != 0) throw Fault(PERRIN_INVALID_DATA, "an argument's name is NULL");
  if (given.name.size == 0) {
    if (i >= wanted.size())
      throw Fault(PERRIN_INVALID_DATA, "takes " + std::to_string(wanted.size()) + " arguments, got more");
    if (wanted[i].kwarg_only())
      throw Fault(PERRIN_INVALID_DATA, "argument \"" + wanted[i].name() + "\" has to be given by name");
    return i;
  }
  for (size_t at = 0; at < wanted.size(); ++at)
    if (wanted[at].name() == view(given.name)) return at;
  throw Fault(PERRIN_INVALID_DATA, "has no argument \"" + checked(given.name, "an argument's name") + "\"");
}

std::vector<c10::IValue> make_stack(const perrin_op& op, uint32_t n, const perrin_argument* given) {
  const auto& wanted = op.schema->arguments();
  std::vector<c10::IValue> stack(wanted.size());
  std::vector<bool> filled(wanted.size());
  bool named = false;
  for (uint32_t i = 0; i < n; ++i) {
    if (named && given[i].name.size == 0) throw Fault(PERRIN_INVALID_DATA, "an argument by position after one by name");
    named = given[i].name.size != 0;
    size_t at = position(op, given[i], i);
    if (filled[at]) throw Fault(PERRIN_INVALID_DATA, "argument \"" + wanted[at].name() + "\" is given twice");
    stack[at] = to_ivalue(given[i], wanted[at], *wanted[at].type());
    filled[at] = true;
  }
  for (size_t at = 0; at < wanted.size(); ++at) {
    if (filled[at]) continue;
    if (!wanted[at].default_value())
      throw Fault(PERRIN_INVALID_DATA, "argument \"" + wanted[at].name() + "\" is missing and has no default");
    stack[at] = *wanted[at].default_value();
  }
  return stack;
}

void call_boxed(const perrin_op& op, uint32_t n, const perrin_argument* given, uint32_t n_results,
                perrin_tensor** results) {
  if (n_results != op.schema->returns().size())
    throw Fault(PERRIN_INVALID_DATA, "gives " + std::to_string(op.schema->returns().size()) + " tensors, " +
                                         std::to_string(n_results) + " were asked for");
  auto stack = make_stack(op, n, given);
  op.handle.callBoxed(stack);
  std::vector<TensorHandle> made(n_results);
  for (uint32_t i = 0; i < n_results; ++i) made[i] = wrap(std::move(stack[i]).toTensor());
  for (uint32_t i = 0; i < n_results; ++i) results[i] = lend(std::move(made[i]));
}

perrin_status* call(const perrin_op* op, uint32_t n, const perrin_argument* given, uint32_t n_results,
                    perrin_tensor** results) {
  return as_status([&] {
    try {
      call_boxed(*op, n, given, n_results, results);
    } catch (const Fault& fault) {
      throw Fault(fault.code, op->name + ": " + fault.what());
    }
  });
}

}  // namespace

const perrin_host_op op_table = {sizeof(perrin_host_op), 0, find, call};

}  // namespace perrin::services
