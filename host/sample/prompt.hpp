// How much each part of a prompt counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perrin::sample {

// A prompt's bytes and how much each counts.
struct Prompt {
  std::string text;
  std::vector<float> weights;  // of each byte
};

// The one rule for prompts, wherever they are given; captions of a dataset are plain text.
//   group    "(words:1.3)": the words count 1.3. Weights of groups inside each other multiply.
//   weight   digits with at most one point, spaces around it allowed: ".5", "1.", "0.85"; from 0 to 10
//   letters  "\(", "\)", "\\" are "(", ")", "\"; a backslash before anything else is itself
// All else is text as it stands: parentheses without a weight, or without a partner; a weight of another form ("1e3",
// "+1", "05", "nan", "12:30") or above 10; a group without words.
// Throws Error, with the column, where weights inside each other multiply to more than 10, for bytes that are no UTF-8,
// and for a zero byte, which would end the text.
Prompt parse_prompt(std::string_view written);

}  // namespace perrin::sample
