#include "host/loader/breadcrumb.hpp"

#include <unistd.h>

#include <algorithm>

namespace perrin::loader {

constinit thread_local Breadcrumb here;
constinit thread_local Crumb* written = nullptr;
void (*on_enter)(const Breadcrumb&) = nullptr;

Crumb* first_crumb() noexcept {
  Crumbs& all = crumbs();
  const uint32_t number = std::min<uint32_t>(all.n.fetch_add(1), kCrumbs - 1);
  written = &all.of[number];
  written->thread = ::gettid();
  return written;
}

}  // namespace perrin::loader
