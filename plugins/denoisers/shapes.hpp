// What image denoisers say of shapes that do not fit.
#pragma once

#include <string>

#include "condition_slots.hpp"

namespace shapes {

inline std::string text(const perrin_spec& x) {
  std::string s = "[";
  for (uint32_t i = 0; i < x.rank; ++i) s += (i ? ", " : "") + std::to_string(x.sizes[i]);
  return s + "]";
}

// Failure(PERRIN_INVALID_CONFIG) unless x is [C, H, W] with height and width divisible by `step`. `why`: "2 levels
// need"; `or_else` is the other way out.
inline void require_image(std::string_view id, const perrin_spec& x, int64_t step, const std::string& why,
                          const std::string& or_else) {
  if (x.rank != 3)
    throw perrin::Failure(PERRIN_INVALID_CONFIG, std::string(id) + " needs images [C, H, W]; the input is " + text(x) +
                                                     ". For vectors use mlp");
  if (x.sizes[1] % step == 0 && x.sizes[2] % step == 0) return;
  const auto up = [step](int64_t n) { return (n + step - 1) / step * step; };
  const perrin_spec padded = {{}, x.dtype, 3, {x.sizes[0], up(x.sizes[1]), up(x.sizes[2])}};
  throw perrin::Failure(PERRIN_INVALID_CONFIG, "the input is " + text(x) + ", and " + why +
                                                   " height and width divisible by " + std::to_string(step) +
                                                   ": give images of shape " + text(padded) + ", or " + or_else);
}

// Channels of the concat condition, 0 without one; Failure(PERRIN_INVALID_CONFIG) if it is not as high and wide as x.
inline int64_t concat_channels(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
  if (!has_slot(conditioning, PERRIN_SLOT_CONCAT)) return 0;
  const perrin_spec& c = conditioning->concat;
  if (c.rank == 3 && c.sizes[1] == x.sizes[1] && c.sizes[2] == x.sizes[2]) return c.sizes[0];
  throw perrin::Failure(PERRIN_INVALID_CONFIG, "the concat condition has shape " + text(c) + "; beside an input of " +
                                                   text(x) + " it needs the same height and width");
}

// Width of the vector condition, 0 without one; Failure(PERRIN_INVALID_CONFIG) if it is no vector.
inline int64_t vector_width(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
  if (!has_slot(conditioning, PERRIN_SLOT_VECTOR)) return 0;
  const perrin_spec& v = conditioning->vector;
  if (v.rank == 1) return v.sizes[0];
  throw perrin::Failure(PERRIN_INVALID_CONFIG, "the vector condition has shape " + text(v) + "; beside an input of " +
                                                   text(x) + " it needs shape [width], one vector a sample");
}

// Shape [length, width] of the sequence condition, {0, 0} without one; Failure(PERRIN_INVALID_CONFIG) if it has another
// rank.
struct Sequence {
  int64_t length = 0, width = 0;
};
inline Sequence sequence(const perrin_spec& x, const perrin_conditioning_spec* conditioning) {
  if (!has_slot(conditioning, PERRIN_SLOT_SEQUENCE)) return {};
  const perrin_spec& s = conditioning->sequence;
  if (s.rank == 2) return {s.sizes[0], s.sizes[1]};
  throw perrin::Failure(PERRIN_INVALID_CONFIG, "the sequence condition has shape " + text(s) + "; beside an input of " +
                                                   text(x) + " it needs shape [length, width]");
}

}  // namespace shapes
