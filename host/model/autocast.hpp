// bf16 autocast of a device's operators for a scope: weights and optimizer stay float32; a loss gets float32 and leaves
// autocast where it needs more.
#pragma once

#include <c10/core/Device.h>

namespace perrin::model {

class Autocast {
 public:
  Autocast(c10::Device device, bool bf16);
  ~Autocast();
  Autocast(const Autocast&) = delete;

 private:
  const c10::DeviceType device_;
  bool on_;
};

}  // namespace perrin::model
