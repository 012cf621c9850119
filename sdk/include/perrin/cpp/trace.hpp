// C++ layer of host/trace.h. A component with numbers of its own for the results has
//   static constexpr perrin_trace_value traced[] = {{PERRIN_TEXT("perplexity"), PERRIN_TEXT(""), PERRIN_TEXT("...")}};
//   void trace(double* values) const;      one for each of `traced`
#pragma once

#include "../host/trace.h"
#include "plugin.hpp"

namespace perrin::detail {

template <class T, class = void>
struct TraceOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct TraceOf<T, std::void_t<decltype(T::traced)>> {
  static perrin_status* names(void*, uint32_t* n, const perrin_trace_value** names) {
    *n = sizeof T::traced / sizeof T::traced[0];
    *names = T::traced;
    return nullptr;
  }
  static perrin_status* values(void* instance, double* values) {
    return call<T>(instance, [&](T& self) { self.trace(values); });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_trace trace = {sizeof(perrin_trace), 0, names, values};
    return view(id) == PERRIN_TRACE ? &trace : nullptr;
  }
};

}  // namespace perrin::detail
