// Shared by the tests of this folder: the host's tables as a plugin gets them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host/services/component.hpp"
#include "host/services/host.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::test {

inline perrin_text operator""_t(const char* data, size_t size) { return {data, size}; }

template <class Table>
const Table& service(std::string_view id) {
  const void* table = services::host()->get_extension(services::host(), services::text(id));
  if (table == nullptr) throw Error("no service " + std::string(id));
  return *static_cast<const Table*>(table);
}

// Code and text of a status, which is freed: "6: message". Empty: success.
inline std::string outcome(perrin_status* status) {
  if (status == nullptr) return {};
  const auto* host = services::host();
  std::string text =
      std::to_string(host->status_code(status)) + ": " + std::string(services::view(host->status_message(status)));
  host->status_free(status);
  return text;
}

inline std::filesystem::path plugin(const std::string& name) {
  return std::filesystem::path(PERRIN_ABI_PLUGINS) / (name + ".so");
}

// One registry for the process, as in the programs.
inline loader::Registry& registry() {
  static auto* one = new loader::Registry(services::loader_host());
  return *one;
}

inline services::Component make(const std::string& library, const std::string& kind, const std::string& id) {
  const auto& loaded = registry().load(plugin(library));
  return services::Component(loaded, *loaded.find(kind, id), kind, {}, 0);
}

// Boxes that a scope made and did not release, as a failure at its end.
class Balance {
 public:
  Balance() : before_(services::live_tensors()) {}
  ~Balance() { EXPECT_EQ(services::live_tensors() - before_, 0) << "tensor references lost (or released twice)"; }

 private:
  int64_t before_;
};

}  // namespace perrin::test
