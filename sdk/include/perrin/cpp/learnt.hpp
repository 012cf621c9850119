// Trainable parameters for plugins without LibTorch: declared by name and shape, used as handles through op.hpp. A
// component with them has
//   perrin::LearntParameters& parameters();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../host/params.h"
#include "handle.hpp"

namespace perrin {

class LearntParameters {
 public:
  // Adds a float32 parameter and returns its index. init: PERRIN_INIT_CONSTANT, _NORMAL or _UNIFORM with its `a`. role:
  // PERRIN_PARAMETER, or PERRIN_BUFFER for values that are saved and not trained. Never decayed.
  size_t add(std::string name, std::vector<int64_t> sizes, uint32_t init, double a, uint32_t role = PERRIN_PARAMETER) {
    entries_.push_back({std::move(name), std::move(sizes), init, a, role, {}});
    return entries_.size() - 1;
  }
  // What the host has bound; empty before that.
  const Handle& operator[](size_t index) const { return entries_[index].value; }

  void declare(const perrin_param_sink& sink) const {
    for (const Entry& entry : entries_) {
      perrin_param p{};
      p.struct_size = sizeof p;
      p.role = entry.role;
      p.name = text(entry.name);
      p.dtype = PERRIN_FLOAT32;
      p.rank = static_cast<uint32_t>(entry.sizes.size());
      for (uint32_t i = 0; i < p.rank; ++i) p.sizes[i] = entry.sizes[i];
      p.init = entry.init;
      p.init_a = entry.a;
      p.no_decay = 1;
      check(sink.declare(sink.context, &p));
    }
  }
  void bind(uint32_t n, perrin_tensor* const* tensors) {
    if (n != entries_.size()) throw Failure("bind: the host gave another number of tensors than were declared");
    for (uint32_t i = 0; i < n; ++i) entries_[i].value = Handle::borrow(tensors[i]);
  }

 private:
  struct Entry {
    std::string name;
    std::vector<int64_t> sizes;
    uint32_t init;
    double a;
    uint32_t role;
    Handle value;  // the host's
  };
  std::vector<Entry> entries_;
};

namespace detail {
template <class T, class = void>
struct LearntParamsOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct LearntParamsOf<T, std::void_t<decltype(&T::parameters)>> {
  static perrin_status* declare(void* instance, const perrin_param_sink* sink) {
    return call<T>(instance, [&](T& self) { self.parameters().declare(*sink); });
  }
  static perrin_status* bind(void* instance, uint32_t n, perrin_tensor* const* tensors) {
    return call<T>(instance, [&](T& self) { self.parameters().bind(n, tensors); });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_params params = {sizeof(perrin_params), 0, declare, bind};
    return view(id) == PERRIN_PARAMS ? &params : nullptr;
  }
};
}  // namespace detail
}  // namespace perrin
