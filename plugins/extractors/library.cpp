#include <perrin/cpp/torch.hpp>

PERRIN_LIBRARY(PERRIN_NOTE_TIER_B)
