// Texts that come from files and plugins, for a person's terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perrin {

// Obeyed by a terminal and not shown: controls, and marks that turn the direction of text around.
bool is_control(uint32_t code);

// Every control but those of `kept` as \u001b, every byte that is no UTF-8 as \xff; JSON reads the former back.
std::string printable(std::string_view text, std::string_view kept = "\n\t");

// The same in one line.
inline std::string one_line(std::string_view text) { return printable(text, ""); }

}  // namespace perrin
