// Alone in its file: sizeof(torch::nn::Module) needs a header that compiles for a long time.
#include "host/services/host.hpp"
#include "perrin/cpp/nn.hpp"

namespace perrin::services {

perrin_fingerprint fingerprint() {
  constexpr perrin_note note = PERRIN_NOTE_TIER_B;
  return note.fingerprint;
}

}  // namespace perrin::services
