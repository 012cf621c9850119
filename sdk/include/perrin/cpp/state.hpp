// C++ layer of host/state.h. A component with state derives from perrin::State and has
//   std::vector<uint8_t> save() const;
//   void load(const std::vector<uint8_t>& bytes);      throws perrin::Failure(PERRIN_INVALID_DATA, ...), unchanged, for
//                                                      bytes that are not its own
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "../host/state.h"
#include "plugin.hpp"

namespace perrin {

struct State {
  std::vector<uint8_t> saved;  // what `save` gave last: the host reads it there
};

namespace detail {

template <class T, bool = std::is_base_of_v<State, T>>
struct StateOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct StateOf<T, true> {
  static perrin_status* save(void* instance, uint64_t* n, const uint8_t** bytes) {
    return call<T>(instance, [&](T& self) {
      self.saved = self.save();
      *n = self.saved.size();
      *bytes = self.saved.data();
    });
  }
  static perrin_status* load(void* instance, uint64_t n, const uint8_t* bytes) {
    return call<T>(instance, [&](T& self) { self.load(std::vector<uint8_t>(bytes, bytes + n)); });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_state state = {sizeof(perrin_state), 0, save, load};
    return view(id) == PERRIN_STATE ? &state : nullptr;
  }
};

}  // namespace detail
}  // namespace perrin
