// One call into a component: who is called, what it said of itself before, and how its faults are named.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/loader/breadcrumb.hpp"
#include "host/services/account.hpp"
#include "host/services/guard.hpp"
#include "perrin/host/trace.h"
#include "perrin/kind/conditioner.h"
#include "perrin/kind/encoder.h"
#include "perrin/kind/schedule.h"

namespace perrin::services {

// What an instance said of itself, in the host's own memory: the shapes of its later answers.
struct Said {
  std::mutex mutex;
  std::optional<std::vector<perrin_field>> fields;
  std::optional<perrin_time_domain> domain;
  std::optional<perrin_spec> x, z, prediction;
  std::optional<perrin_conditioning_spec> conditioning;
  std::vector<perrin_text> texts;  // the latest list
  std::optional<std::vector<perrin_text>> layers;
  std::vector<perrin_spec> layer_specs;
  std::vector<perrin_encoder_output> outputs;
  std::optional<std::vector<perrin_trace_value>> trace;
  std::vector<uint8_t> state;
  Account* account = open_account();
  bool closely = false;  // look closely at every call
  std::atomic<uint32_t> calls{0};

  // Throws Misbehaviour if the instance owned more references at each of the last looks than at the one before.
  void check_balance(const loader::Breadcrumb& call);

 private:
  int64_t held_before_ = 0;
  int grew_ = 0;
};

class Call {
 public:
  Call(const loader::Breadcrumb& crumb, void* instance, Said& said) : said(said), crumb_(crumb), instance_(instance) {}

  // Is this call looked at closely (inputs unchanged, the process's state)? The first calls are, and all of them where
  // the session asks for it.
  bool closely() const { return said.closely || said.calls.load(std::memory_order_relaxed) <= kClosely; }

  // Throws Misbehaviour: "the plugin " + what.
  [[noreturn]] void wrong(const std::string& what) const;

  // For what reads memory that the plugin named: a crash there is the plugin's.
  loader::Inside reading() const { return {crumb_.library, crumb_.component, crumb_.call}; }

  Said& said;

 protected:
  static constexpr uint32_t kClosely = 8;
  loader::Breadcrumb crumb_;
  void* instance_;
};

// Values of tensors are looked at for NaN and infinity also in training, while one of these lives in the thread: who
// gave the first of them?
class FindNonFinite {
 public:
  FindNonFinite();
  ~FindNonFinite();
  static bool active();
};

}  // namespace perrin::services
