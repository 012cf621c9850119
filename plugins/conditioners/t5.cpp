// T5's encoder (1910.10683) with the parameters' names of transformers' T5EncoderModel.
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <perrin/cpp/weights.hpp>

#include "t5_model.hpp"
#include "text_slots.hpp"
#include "tokenizer.hpp"

namespace {

using perrin::Key;

class T5 {
 public:
  static constexpr std::string_view id = "t5";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "T5's encoder (1910.10683), without dropout: SentencePiece tokens and a bidirectional transformer with relative "
      "positions, in the layout of transformers' T5EncoderModel. The vector is the mean of the text's tokens. The "
      "defaults are t5-small.";
  static std::vector<Key> keys() {
    return text::Slots::keys(
        {Key::string("tokenizer", nullptr, "the model's tokenizer.json"),
         Key::string("weights", "\"\"", "a safetensors file of the model; empty: trained from random values"),
         Key::integer("vocabulary_size", "32128", "rows of the table of tokens; may be more than the tokenizer has")
             .min(1),
         Key::integer("width", "512", "size of each token's vector").min(1),
         Key::integer("layers", "6", "number of transformer blocks").min(1),
         Key::integer("heads", "8", "attention heads of a block").min(1),
         Key::integer("head_width", "64", "width of one head").min(1),
         Key::integer("hidden", "2048", "width inside the feed-forward layers").min(1),
         Key::string("feed_forward", "\"relu\"", "relu, or gated-gelu of T5 1.1 and later")
             .choices({"relu", "gated-gelu"}),
         Key::integer("buckets", "32", "of relative positions; a multiple of 4").min(4),
         Key::integer("furthest", "128", "the distance from which on all are alike; more than buckets / 4")
             .min(2)
             .unit("tokens"),
         Key::integer("tokens", "77", "tokens of a text, </s> among them; a longer one is cut").min(2).max(4096)});
  }
  explicit T5(const perrin::Config& config)
      : source_(config),
        slots_(config),
        encoder_(text::read_tokenizer(config.string("tokenizer"), {"", "</s>", "<pad>"})),
        weights_(config.string("weights")),
        vocabulary_size_(config.integer("vocabulary_size")),
        layers_(config.integer("layers")),
        buckets_(config.integer("buckets")),
        furthest_(config.integer("furthest")),
        length_(config.integer("tokens")),
        plan_{parameters_,
              config.integer("width"),
              config.integer("heads"),
              config.integer("head_width"),
              config.integer("hidden"),
              config.string("feed_forward") == "gated-gelu"},
        framing_(encoder_, length_) {}
  static void validate(const perrin::Config& config) {
    const int64_t buckets = config.integer("buckets");
    if (buckets % 4 != 0 || config.integer("furthest") <= buckets / 4)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            "buckets must be a multiple of 4, two directions of near and far distances, and furthest "
                            "more than a quarter of it");
  }

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    source_.infer(n, fields);
    text::require_rows(encoder_.size, vocabulary_size_);
    token_.emplace(parameters_, "shared", vocabulary_size_, plan_.width, 1.0);
    for (int64_t i = 0; i < layers_; ++i) {
      const std::string prefix = "encoder.block." + std::to_string(i) + ".layer.";
      blocks_.emplace_back(plan_, prefix);
      if (i == 0)
        bias_.emplace(parameters_, prefix + "0.SelfAttention.relative_attention_bias", buckets_, plan_.heads,
                      1 / std::sqrt(static_cast<double>(plan_.width)));
    }
    norm_.emplace(parameters_, "encoder.final_layer_norm", plan_.width);
    if (!weights_.empty()) give(perrin::WeightsFile(weights_));
    nearby_ = text::relative_buckets(length_, buckets_, furthest_);
    return slots_.infer(parameters_, source_, length_, plan_.width);
  }

  double drop_probability() const { return source_.drop(); }
  uint64_t text_limit() const { return static_cast<uint64_t>(length_); }
  std::vector<uint64_t> text_lengths(const perrin::Fields& fields) {
    return framing_.lengths(source_.read(fields, nullptr));
  }

  perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) {
    const text::Batch batch = source_.read(fields, drop);
    const text::Rows rows = framing_(call, batch);
    at::Tensor x = (*token_)(rows.tokens);                                       // [B, length, width]
    const at::Tensor near = (*bias_)(nearby_).permute({2, 0, 1});                // [heads, length, length]
    const at::Tensor real = rows.real.to(x.device()).unsqueeze(1).unsqueeze(1);  // [B, 1, 1, length]
    const at::Tensor bias = near.masked_fill(real.logical_not(), -std::numeric_limits<double>::infinity());
    for (const text::T5Block& block : blocks_) x = block(x, bias);
    return slots_.fill((*norm_)(x), rows, batch,
                       [&](const at::Tensor& states) { return text::mean_of_real(states, rows.real); });
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  // Files without a decoder may call the table of tokens "encoder.embed_tokens".
  void give(const perrin::WeightsFile& file) {
    const bool alone = !file.has("shared.weight") && file.has("encoder.embed_tokens.weight");
    file.give(parameters_, [alone](const std::string& name) {
      return alone && name == "shared.weight" ? "encoder.embed_tokens.weight" : name;
    });
  }

  text::Source source_;
  text::Slots slots_;
  text::Encoder encoder_;
  std::string weights_;
  int64_t vocabulary_size_, layers_, buckets_, furthest_, length_;
  perrin::Parameters parameters_;
  text::T5Plan plan_;
  text::Framing framing_;
  std::optional<text::Table> token_, bias_;
  std::deque<text::T5Block> blocks_;
  std::optional<text::RmsNorm> norm_;
  at::Tensor nearby_;  // [length, length], buckets
};
PERRIN_CONDITIONER(T5);

}  // namespace
