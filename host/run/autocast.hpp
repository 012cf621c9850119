// bf16 autocast on the CPU for a scope: weights, optimizer and losses stay float32.
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
