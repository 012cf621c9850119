// What the text conditioners share: the keys every one of them has, the field that holds the text, the null text, the
// weights of a prompt's parts and the message about a text that is too long.
#pragma once

#include <perrin/cpp/conditioner.hpp>

namespace text {

// Each sample's text and what stands for "no text".
struct Batch {
  std::vector<std::string> texts;           // [B], UTF-8 as it came; "" where hidden
  std::vector<uint8_t> null;                // [B], 1 where the text is hidden or empty
  std::vector<std::vector<float>> weights;  // [B], of each byte of the text; empty where all are 1
};

// Keys `field`, `drop` and `null` behind a component's own, and what they say.
class Source {
 public:
  static std::vector<perrin::Key> keys(std::vector<perrin::Key> own);
  explicit Source(const perrin::Config& config);

  // Failure(PERRIN_INVALID_CONFIG), with the dataset's text fields, unless `field` is one: uint8 of rank 1.
  void infer(uint32_t n, const perrin_field* fields) const;
  double drop() const { return drop_; }
  bool null_is_learnt() const { return null_is_learnt_; }

  // drop: [B] or null, as the host gives it to encode.
  Batch read(const perrin::Fields& fields, const uint8_t* drop) const;

 private:
  std::string field_;
  double drop_;
  bool null_is_learnt_;
};

// bytes: uint8 [B, length], zeros behind the end -> one text a sample.
std::vector<std::string> strings(const at::Tensor& bytes);

// `text` cut where its weight changes: a tokenizer that is given one run at a time knows the weight of each token. Spaces
// before a cut go to the word behind it, as tokenizers that keep spaces want them.
struct Run {
  std::string_view text;
  float weight;
};
std::vector<Run> runs(std::string_view text, const std::vector<float>& weights);

// z: [B, tokens, width] times its tokens' weights [B, tokens], then scaled to the mean it had: the rule of
// AUTOMATIC1111's stable-diffusion-webui (modules/sd_emphasis.py, EmphasisOriginal). Two deviations: each sample has a
// mean of its own, so that none changes another; and where there is no mean to keep, it being below 1 % of the root
// mean square or of another sign afterwards, as in a model whose last normalisation is untrained, z is not scaled to
// it. weights undefined: z.
at::Tensor weigh(const at::Tensor& z, const at::Tensor& weights);

// A learnt condition that stands where there is no text (`null` = "learnt"); N(0, 1) initially, as class-label's rows.
class LearntNull {
 public:
  // sizes: of the slot without the batch dimension.
  LearntNull(perrin::Parameters& p, const std::string& name, std::vector<int64_t> sizes);
  // x: [B, sizes...] -> x where null is 0, the learnt condition where it is 1.
  at::Tensor operator()(const at::Tensor& x, const std::vector<uint8_t>& null) const;

 private:
  const at::Tensor* value_;
};

// Counts what is cut, and says it in the log at the first text, the tenth, the hundredth, and so on.
class Cut {
 public:
  explicit Cut(int64_t most) : most_(most) {}
  // lengths: tokens of each text of a batch before it was cut.
  void note(const std::vector<int64_t>& lengths);

 private:
  int64_t most_, texts_ = 0, cut_ = 0, longest_ = 0, tokens_ = 0, lost_ = 0, say_at_ = 1;
};

}  // namespace text
