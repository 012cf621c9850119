// Runs a check once per instruction set of this processor, and restores the best.
#pragma once

#include <gtest/gtest.h>

#include "host/kernels/isa.hpp"

namespace perrin::kernels {

template <class Check>
void for_each_isa(Check check) {
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    limit_isa(isa);
    SCOPED_TRACE(isa_name(isa));
    check();
  }
  limit_isa(best_isa());
}

}  // namespace perrin::kernels
