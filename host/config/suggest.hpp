// "did you mean": the nearest of some names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perrin::config {

// Damerau-Levenshtein distance (optimal string alignment), case and '-' against '_' ignored, in bytes.
int edit_distance(std::string_view a, std::string_view b);

// The nearest candidate within a third of the longer length, else one that starts or ends with `word` (3 characters at
// least); empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// `did you mean "x"?  allowed: a, b, …`; without candidates empty.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view label = "allowed");

}  // namespace perrin::config
