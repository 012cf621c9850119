#include "host/run/autocast.hpp"

#include <ATen/autocast_mode.h>

#include "host/services/tensor.hpp"

namespace perrin::run {

Autocast::Autocast(bool bf16) : on_(bf16) {
  if (!on_) return;
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(services::run_device().type(), true);
  at::autocast::set_autocast_dtype(services::run_device().type(), at::kBFloat16);
}

Autocast::~Autocast() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(services::run_device().type(), false);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace perrin::run
