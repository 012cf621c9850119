#include <ATen/core/Tensor.h>
#include <ATen/core/jit_type.h>
#include <c10/core/Device.h>

#include "host/services/op.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

using c10::IValue;
using c10::TypeKind;

const char* tag_name(uint32_t tag) {
  constexpr const char* names[] = {"none",   "tensor",   "integer", "number", "boolean",
                                   "string", "integers", "numbers", "tensors"};
  return tag < std::size(names) ? names[tag] : "a value of unknown tag";
}

[[noreturn]] void refuse(const perrin_argument& given, const c10::Argument& wanted) {
  throw Fault(PERRIN_INVALID_DATA, "argument \"" + wanted.name() + "\" of type " + wanted.type()->str() +
                                       " was given " + tag_name(given.tag));
}

at::Tensor tensor_or_undefined(perrin_tensor* tensor) { return tensor == nullptr ? at::Tensor() : unwrap(tensor); }

IValue number(const perrin_argument& given, const c10::Argument& wanted) {
  switch (given.tag) {
    case PERRIN_VALUE_INTEGER:
      return given.value.integer;
    case PERRIN_VALUE_NUMBER:
      return given.value.number;
    case PERRIN_VALUE_BOOLEAN:
      return given.value.integer != 0;
    default:
      refuse(given, wanted);
  }
}

IValue integers(const perrin_argument& given, const c10::Argument& wanted) {
  if (given.tag == PERRIN_VALUE_INTEGERS)
    return c10::List<int64_t>(at::ArrayRef<int64_t>(given.value.integers, given.n));
  // `int[2] stride=1` takes one number for both, as in Python.
  if (given.tag == PERRIN_VALUE_INTEGER && wanted.N())
    return c10::List<int64_t>(std::vector<int64_t>(static_cast<size_t>(*wanted.N()), given.value.integer));
  refuse(given, wanted);
}

IValue booleans(const perrin_argument& given) {
  c10::List<bool> list;
  for (uint32_t i = 0; i < given.n; ++i) list.push_back(given.value.integers[i] != 0);
  return list;
}

IValue tensors(const perrin_argument& given, bool optional) {
  c10::List<at::Tensor> plain;
  c10::List<std::optional<at::Tensor>> holes;
  for (uint32_t i = 0; i < given.n; ++i) {
    at::Tensor tensor = tensor_or_undefined(given.value.tensors[i]);
    if (optional)
      holes.push_back(tensor.defined() ? std::optional(tensor) : std::nullopt);
    else
      plain.push_back(std::move(tensor));
  }
  return optional ? IValue(std::move(holes)) : IValue(std::move(plain));
}

IValue list(const perrin_argument& given, const c10::Argument& wanted, const c10::Type& element) {
  const auto kind = element.kind();
  if (kind == TypeKind::IntType || kind == TypeKind::SymIntType) return integers(given, wanted);
  if (kind == TypeKind::BoolType && given.tag == PERRIN_VALUE_INTEGERS) return booleans(given);
  if (kind == TypeKind::FloatType && given.tag == PERRIN_VALUE_NUMBERS)
    return c10::List<double>(at::ArrayRef<double>(given.value.numbers, given.n));
  if (given.tag == PERRIN_VALUE_TENSORS && (kind == TypeKind::TensorType || kind == TypeKind::OptionalType))
    return tensors(given, kind == TypeKind::OptionalType);
  refuse(given, wanted);
}

}  // namespace

IValue to_ivalue(const perrin_argument& given, const c10::Argument& wanted, const c10::Type& type) {
  const auto kind = type.kind();
  if (kind == TypeKind::OptionalType) {
    if (given.tag == PERRIN_VALUE_NONE || (given.tag == PERRIN_VALUE_TENSOR && given.value.tensor == nullptr))
      return {};
    return to_ivalue(given, wanted, *type.castRaw<c10::OptionalType>()->getElementType());
  }
  if (kind == TypeKind::ListType) return list(given, wanted, *type.castRaw<c10::ListType>()->getElementType());
  if (kind == TypeKind::NumberType) return number(given, wanted);
  if (kind == TypeKind::TensorType && given.tag == PERRIN_VALUE_TENSOR) return tensor_or_undefined(given.value.tensor);
  const bool integer = given.tag == PERRIN_VALUE_INTEGER;
  if ((kind == TypeKind::IntType || kind == TypeKind::SymIntType) && integer) return given.value.integer;
  if (kind == TypeKind::FloatType && given.tag == PERRIN_VALUE_NUMBER) return given.value.number;
  if (kind == TypeKind::FloatType && integer) return static_cast<double>(given.value.integer);
  if (kind == TypeKind::BoolType && given.tag == PERRIN_VALUE_BOOLEAN) return given.value.integer != 0;
  if (given.tag == PERRIN_VALUE_STRING) {
    std::string text = checked(given.value.text, "a text argument", 1 << 20);
    if (kind == TypeKind::StringType) return text;
    if (kind == TypeKind::DeviceObjType) return c10::Device(text);
  }
  refuse(given, wanted);
}

}  // namespace perrin::services
