// C++ layer of host/identity.h. A component that knows what it reads has
//   void identity(const perrin::Identity& told) const;    told.file("cats/1.png", path), or nothing if it reads no file
#pragma once

#include "../host/identity.h"
#include "plugin.hpp"

namespace perrin {

class Identity {
 public:
  explicit Identity(const perrin_identity_sink* sink) : sink_(sink) {}
  void file(std::string_view name, std::string_view path) const {
    check(sink_->file(sink_->context, text(name), text(path)));
  }
  void bytes(std::string_view name, std::string_view bytes) const {
    check(sink_->bytes(sink_->context, text(name), bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data())));
  }

 private:
  const perrin_identity_sink* sink_;
};

// The extension's table for T, or null.
template <class T, class = void>
struct IdentityTable {
  static const perrin_identity* get() { return nullptr; }
};
template <class T>
struct IdentityTable<T, std::void_t<decltype(&T::identity)>> {
  static perrin_status* declare(void* instance, const perrin_identity_sink* sink) {
    return detail::call<T>(instance, [&](T& self) { self.identity(Identity(sink)); });
  }
  static constexpr perrin_identity table = {sizeof(perrin_identity), 0, declare};
  static const perrin_identity* get() { return &table; }
};

}  // namespace perrin
