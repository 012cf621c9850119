#include "script_types.hpp"

#include <stdexcept>
#include <vector>

namespace {

using c10::IValue;
using c10::TypeKind;

// Everything of `value`'s parts, each as one of `type`.
IValue list_of(const IValue& value, const c10::TypePtr& type, const std::string& what, int depth) {
  c10::impl::GenericList list(type);
  for (const IValue& element : value.toListRef()) list.emplace_back(of_type(element, type, what, depth));
  return list;
}

IValue dict_of(const IValue& value, const c10::DictType& type, const std::string& what, int depth) {
  c10::impl::GenericDict dict(type.getKeyType(), type.getValueType());
  for (const auto& entry : value.toGenericDict())
    dict.insert(of_type(entry.key(), type.getKeyType(), what, depth),
                of_type(entry.value(), type.getValueType(), what, depth));
  return dict;
}

IValue tuple_of(const IValue& value, const c10::TupleTypePtr& type, const std::string& what, int depth) {
  std::vector<IValue> elements;
  for (size_t i = 0; i < type->elements().size(); ++i)
    elements.push_back(of_type(value.toTupleRef().elements()[i], type->elements()[i], what, depth));
  if (type->schema()) return c10::ivalue::Tuple::createNamed(std::move(elements), type);
  return c10::ivalue::Tuple::create(std::move(elements));
}

}  // namespace

IValue of_type(const IValue& value, const c10::TypePtr& type, const std::string& what, int depth) {
  if (depth > 64) throw std::runtime_error(what + " is nested too deep, or holds itself");
  if (const auto optional = type->cast<c10::OptionalType>())
    return value.isNone() ? value : of_type(value, optional->getElementType(), what, depth + 1);
  if (const auto list = type->cast<c10::ListType>(); list && value.isList())
    return list_of(value, list->getElementType(), what, depth + 1);
  if (const auto dict = type->cast<c10::DictType>(); dict && value.isGenericDict())
    return dict_of(value, *dict, what, depth + 1);
  if (const auto tuple = type->cast<c10::TupleType>();
      tuple && value.isTuple() && value.toTupleRef().elements().size() == tuple->elements().size())
    return tuple_of(value, tuple, what, depth + 1);
  const bool simple = value.isTensor() || value.isInt() || value.isDouble() || value.isBool() || value.isString() ||
                      value.isNone() || value.isDevice() || value.isComplexDouble() || value.isObject();
  if (simple && value.type()->isSubtypeOf(*type)) return value;
  throw std::runtime_error(what + " is no " + type->str());
}
