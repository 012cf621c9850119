#include "host/loader/layout.hpp"

namespace perrin::loader {

namespace fs = std::filesystem;

Layout layout() {
  std::error_code none;
  const fs::path own = fs::read_symlink("/proc/self/exe", none).parent_path();
  for (const fs::path& bin : {own, own / PERRIN_HELPERS_TO_BIN}) {
    const fs::path helpers = (bin / PERRIN_BIN_TO_HELPERS).lexically_normal();
    if (fs::exists(helpers / "perrin-engine", none))
      return {true, helpers, (bin / PERRIN_BIN_TO_LIBRARIES).lexically_normal()};
  }
  return {false, own, (own / "../lib/perrin").lexically_normal()};
}

}  // namespace perrin::loader
