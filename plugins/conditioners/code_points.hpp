// UTF-8 texts as code points and their Unicode categories, for tokenizers whose rules are stated in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace text {

// The code point at `text[at]`, behind which `at` is moved; -1 and one byte where the text is not UTF-8 there.
int32_t next_code_point(std::string_view text, size_t& at);
// Stray bytes as U+FFFD.
std::vector<int32_t> code_points(std::string_view text);
void append(std::string& text, int32_t code_point);
std::string utf8(const std::vector<int32_t>& code_points);

// Categories of Unicode; all false for -1.
bool is_letter(int32_t c);       // L*
bool is_number(int32_t c);       // N*
bool is_punctuation(int32_t c);  // P*
bool is_control(int32_t c);      // Cc, Cf, Co
bool is_accent(int32_t c);       // Mn
bool is_mark(int32_t c);         // M*
bool is_space(int32_t c);        // the property White_Space

int32_t lower(int32_t c);
// Each code point in lower case, whatever stands around it (no final sigma).
std::string lower_case(const std::string& text);
// Unicode's normalisation forms, of valid UTF-8.
enum class Form { C, D, KC, KD };
std::string normal_form(const std::string& text, Form form);
// Form D.
std::vector<int32_t> decomposed(const std::vector<int32_t>& code_points);

// The grapheme clusters of valid UTF-8 (UAX 29), together the text.
std::vector<std::string_view> graphemes(std::string_view text);

}  // namespace text
