#include "host/services/call.hpp"

namespace perrin::services {
namespace {

constexpr int kLooks = 8;
constinit thread_local int finding = 0;

}  // namespace

// What a plugin keeps on purpose (parameters, a cache, the inputs of a gradient) does not grow with every call.
void Said::check_balance(const loader::Breadcrumb& call) {
  std::lock_guard lock(mutex);
  const int64_t held = account->held;
  grew_ = held > held_before_ ? grew_ + 1 : 0;
  held_before_ = held;
  if (grew_ < kLooks) return;
  grew_ = 0;
  throw Misbehaviour("the plugin loses references to tensors: it owns " + std::to_string(held) +
                         ", and more with every call",
                     describe(call));
}

void Call::wrong(const std::string& what) const { throw Misbehaviour("the plugin " + what, describe(crumb_)); }

FindNonFinite::FindNonFinite() { ++finding; }
FindNonFinite::~FindNonFinite() { --finding; }
bool FindNonFinite::active() { return finding > 0; }

}  // namespace perrin::services
