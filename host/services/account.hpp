// Who owns how many references to tensors.
#pragma once

#include <atomic>
#include <cstdint>

namespace perrin::services {

// The references that an instance of a component owns, over all its calls.
struct Account {
  std::atomic<int64_t> held{0};
};
// Never freed: a graph that a plugin's backward belongs to may outlive the instance.
Account* open_account();
// Whose references this thread gives out and takes back; null in the host's own code.
extern constinit thread_local Account* account;

// For a scope.
class Counting {
 public:
  explicit Counting(Account* of) : before_(account) { account = of; }
  ~Counting() { account = before_; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  Account* before_;
};

}  // namespace perrin::services
