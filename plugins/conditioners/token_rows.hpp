// Texts as rows of tokens of one length.
#pragma once

#include "text.hpp"
#include "tokenizer.hpp"

namespace text {

struct Rows {
  at::Tensor tokens;             // [B, length] int64
  at::Tensor real;               // [B, length] bool, false behind each text's end
  at::Tensor weights;            // [B, length] float32; undefined where all are 1
  std::vector<int64_t> lengths;  // [B], of the real part
};

// [first] text [last] padding ..., cut to `length` with `last` kept.
class Framing {
 public:
  Framing(Encoder encoder, int64_t length);

  // Each stretch of one weight is encoded by itself, the whole text where it has one. The marks' weight is 1. In training
  // what is cut is said.
  Rows operator()(const perrin_call& call, const Batch& batch);
  // Tokens of each text before it is cut, marks included: perrin.text-lengths/1.
  std::vector<uint64_t> lengths(const Batch& batch) const;

 private:
  struct Text {
    std::vector<int64_t> tokens;  // with `first`, without `last`
    std::vector<float> weights;   // of each
  };
  Text encoded(const Batch& batch, size_t b) const;

  Encoder encoder_;
  int64_t length_;
  Cut cut_;
};

// Lines of a text file that perrin.artifact/1 finds, without line ends.
std::vector<std::string> lines_of(const std::string& file);
std::string whole_file(const std::string& file);

// Failure(PERRIN_INVALID_CONFIG) unless the file `whole` is given, or each of `parts`, and not both.
void require_one_of(const perrin::Config& config, const char* whole, const std::vector<const char*>& parts);

// Failure(PERRIN_INVALID_CONFIG) if `tokens`, the tokenizer's, are more than the rows of the table of tokens; or if
// `length` is more than `positions`.
void require_rows(int64_t tokens, int64_t rows);
void require_positions(int64_t length, int64_t positions);

}  // namespace text
