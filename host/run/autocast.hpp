// bf16 autocast on the CPU for a scope: weights and optimizer stay float32; a loss gets float32 and leaves autocast where
// it needs more.
#pragma once

namespace perrin::run {

class Autocast {
 public:
  explicit Autocast(bool bf16);
  ~Autocast();
  Autocast(const Autocast&) = delete;

 private:
  bool on_;
};

}  // namespace perrin::run
