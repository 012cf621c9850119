// Any bytes as a file, the part behind the first NUL as an override: loads to something that loads back, or one clean
// Diagnostics. Everything else is a finding.
#include <cstdint>
#include <cstdlib>

#include "host/config/load.hpp"
#include "host/config/text.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perrin::config;
  static const Catalogue catalogue = test::catalogue();
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t split = input.find('\0');
  std::vector<std::string> set;
  if (split != std::string::npos) set.push_back(input.substr(split + 1));
  try {
    const Loaded loaded = load_text(test::kMinimal + input.substr(0, split), "x.toml", set, catalogue);
    if (load_text(loaded.resolved_toml, "r.toml", {}, catalogue).resolved_toml != loaded.resolved_toml) std::abort();
  } catch (const Diagnostics& fault) {
    if (!is_utf8(fault.message())) std::abort();
  }
  return 0;
}
