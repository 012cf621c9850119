// Byte pair encoding that is learnt from texts, and what GPT-2's encoder does before and below it (Radford et al. 2019,
// section 2.2).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bpe.hpp"

namespace text {

// GPT-2's pieces, which pairs never cross: English endings ('s, 'll, ...); runs of letters, of numbers and of other
// signs, each with the space before it; what white space is left. Together they are the text.
std::vector<std::string_view> pieces(std::string_view text);
// Where the piece ends that begins at `at`, which is inside the text.
size_t piece_end(std::string_view text, size_t at);

// The first 256 tokens are the single bytes, in the order in which GPT-2 lists them: those that Latin-1 prints, then
// the others.
int64_t token_of_byte(unsigned char byte);
// The character by which GPT-2's files write a byte -> the byte; -1 for another character.
int byte_of_character(int32_t character);

// How often each piece occurs.
using PieceCounts = std::map<std::string, uint64_t>;

// Joins the commonest pair of tokens, again and again, until there are `size` tokens, the bytes among them, or no pair
// occurs twice (1508.07909, algorithm 1). Of pairs as common as each other, the one of smaller tokens: the result is a
// function of the counts alone.
Merges learn(const PieceCounts& counts, size_t size);

// The bytes, then what each merge makes unless it is there already.
Vocabulary vocabulary_of(const Merges& merges);
// As a merges.txt has them, which parse_merges reads.
std::string merges_text(const Merges& merges);

}  // namespace text
