// Texts as rows of tokens of one length.
#pragma once

#include <functional>

#include "text.hpp"

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
  struct Marks {
    int64_t last, padding;
    std::optional<int64_t> first = {};
  };
  Framing(Marks marks, int64_t length);

  using Encode = std::function<std::vector<int64_t>(std::string_view)>;
  // `encode` is given each stretch of one weight by itself, the whole text where it has one. The marks' weight is 1.
  Rows operator()(const Batch& batch, const Encode& encode);

 private:
  Marks marks_;
  int64_t length_;
  Cut cut_;
};

// Lines of a text file that perrin.artifact/1 finds, without line ends.
std::vector<std::string> lines_of(const std::string& file);
std::string whole_file(const std::string& file);

// Failure(PERRIN_INVALID_CONFIG) if `tokens`, the tokenizer's, are more than the rows of the table of tokens; or if
// `length` is more than `positions`.
void require_rows(int64_t tokens, int64_t rows);
void require_positions(int64_t length, int64_t positions);

}  // namespace text
