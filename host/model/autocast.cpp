#include "host/model/autocast.hpp"

#include <ATen/autocast_mode.h>

namespace perrin::model {

Autocast::Autocast(c10::Device device, bool bf16) : device_(device.type()), on_(bf16) {
  if (!on_) return;
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
}

Autocast::~Autocast() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(device_, false);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace perrin::model
