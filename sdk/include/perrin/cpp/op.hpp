// LibTorch's operators for plugins without LibTorch: Op("aten::sub", "Tensor")(x, y).
#pragma once

#include "../host/op.h"
#include "handle.hpp"

namespace perrin {

// One argument of an operator call. Positional; Argument("dim", ...) gives it by name.
struct Argument {
  Argument(const Handle& tensor) { abi.tag = PERRIN_VALUE_TENSOR, abi.value.tensor = tensor.get(); }
  Argument(double number) { abi.tag = PERRIN_VALUE_NUMBER, abi.value.number = number; }
  Argument(int64_t integer) { abi.tag = PERRIN_VALUE_INTEGER, abi.value.integer = integer; }
  Argument(int integer) : Argument(static_cast<int64_t>(integer)) {}
  Argument(bool boolean) { abi.tag = PERRIN_VALUE_BOOLEAN, abi.value.integer = boolean; }
  // Borrowed until the call returns.
  Argument(const std::vector<int64_t>& list) {
    abi.tag = PERRIN_VALUE_INTEGERS, abi.n = static_cast<uint32_t>(list.size()), abi.value.integers = list.data();
  }
  Argument(std::string_view name, Argument value) : abi(value.abi) { abi.name = text(name); }

  perrin_argument abi{};
};

// A dispatcher entry. Construct once, call often; autograd and autocast apply.
class Op {
 public:
  explicit Op(std::string_view name, std::string_view overload = "")
      : api_(service<perrin_host_op>(PERRIN_HOST_OP)) {
    check(api_->find(text(name), text(overload), &op_));
  }

  // One result.
  template <class... Arguments>
  Handle operator()(const Arguments&... arguments) const {
    const perrin_argument list[] = {Argument(arguments).abi...};
    perrin_tensor* result = nullptr;
    check(api_->call(op_, sizeof...(arguments), list, 1, &result));
    return Handle::adopt(result);
  }

 private:
  const perrin_host_op* api_;
  const perrin_op* op_ = nullptr;
};

}  // namespace perrin
