// What every extractor of images asks of them.
#pragma once

#include <perrin/cpp/extractor.hpp>

namespace images {

inline std::string text(const perrin_spec& x) {
  std::string text = "[";
  for (uint32_t i = 0; i < x.rank; ++i) text += (i ? ", " : "") + std::to_string(x.sizes[i]);
  return text + "]";
}

// Failure(PERRIN_INVALID_CONFIG) unless x is an image [C, H, W] of one or three channels with sides of at least `side`.
inline void require(std::string_view id, const perrin_spec& x, int64_t side) {
  const std::string needs = std::string(id) + " takes images of 1 or 3 channels [C, H, W] of at least " +
                            std::to_string(side) + " x " + std::to_string(side) + " pixels; these are " + text(x);
  const bool image = x.rank == 3 && (x.sizes[0] == 1 || x.sizes[0] == 3);
  if (!image || x.sizes[1] < side || x.sizes[2] < side) throw perrin::Failure(PERRIN_INVALID_CONFIG, needs);
}

inline perrin_spec spec(const perrin_spec& x, std::vector<int64_t> sizes) {
  perrin_spec spec{{}, x.dtype, static_cast<uint32_t>(sizes.size()), {}};
  for (size_t i = 0; i < sizes.size(); ++i) spec.sizes[i] = sizes[i];
  return spec;
}

}  // namespace images
