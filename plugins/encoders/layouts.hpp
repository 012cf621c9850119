// First stages in files of other layouts.
#pragma once

#include "settings.hpp"

namespace first_stage {

// Gives what is declared its initial values from the file settings.weights: of diffusers' class, whose names are ours, also
// before its release 0.13, or of CompVis' (LDM, SGM); alone, or behind "vae." or "first_stage_model." in a pipeline's file.
// Failure(PERRIN_INVALID_DATA) says what does not fit.
void give_weights(perrin::Parameters& p, const Settings& settings);

}  // namespace first_stage
