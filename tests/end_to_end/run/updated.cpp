// A dataset of somebody else's, which does not say what it reads, before and after an update that keeps old experiments
// valid: UPDATED renames a key and adds one.
#include "perrin/cpp/dataset.hpp"

namespace {

using perrin::Key;

struct Plain {
  static constexpr std::string_view id = "test.plain", version = "1.0.0", doc = "Images of one level.";
  static std::vector<Key> keys() {
#ifdef UPDATED
    return {Key::number("brightness", "0.5", "the level").alias("level"), Key::integer("extra", "1", "new").min(0),
            Key::number("old", "1", "use brightness").deprecated()};
#else
    return {Key::number("level", "0.5", "the level"), Key::number("old", "1", "use level").deprecated()};
#endif
  }
  explicit Plain(const perrin::Config& config)
#ifdef UPDATED
      : level_(static_cast<float>(config.number("brightness")))
#else
      : level_(static_cast<float>(config.number("level")))
#endif
  {
    fields_ = {perrin::field(perrin::spec("image", PERRIN_FLOAT32, {1, 16, 16}), 1, 0)};
  }
  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { return 16; }
  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    for (uint64_t i = 0; i < n * 256; ++i)
      static_cast<float*>(buffers[0])[i] = level_ * static_cast<float>(indices[i / 256]) / 16;
  }

 private:
  float level_;
  std::vector<perrin_field> fields_;
};
PERRIN_DATASET(Plain);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_A)
