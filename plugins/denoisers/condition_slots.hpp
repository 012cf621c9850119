// Which conditioning a denoiser takes.
#pragma once

#include <perrin/kind/denoiser.h>

#include <perrin/cpp/plugin.hpp>

// `spec` NULL: unconditional.
inline bool has_slot(const perrin_conditioning_spec* spec, uint32_t slot) {
  return spec != nullptr && (spec->slots & slot) != 0;
}

// Failure(PERRIN_INVALID_CONFIG) if the conditioner fills a slot that is not among `taken`: nothing may be ignored.
inline void require_slots(std::string_view id, const perrin_conditioning_spec* spec, uint32_t taken) {
  const char* const names[] = {"vector", "sequence", "concat"};
  for (uint32_t i = 0; i < 3; ++i)
    if (has_slot(spec, 1u << i) && (taken & (1u << i)) == 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG, std::string("the conditioner gives a ") + names[i] +
                                                       " condition, which the denoiser \"" + std::string(id) +
                                                       "\" does not take");
}
