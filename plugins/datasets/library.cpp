#include "perrin/cpp/plugin.hpp"

PERRIN_LIBRARY(PERRIN_NOTE_TIER_A)
