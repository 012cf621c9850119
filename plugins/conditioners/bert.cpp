// BERT's encoder (1810.04805) with the parameters' names of transformers' BertModel.
#include <ATen/ops/tanh.h>

#include <perrin/cpp/weights.hpp>

#include "text_model.hpp"
#include "text_slots.hpp"
#include "tokenizer.hpp"
#include "word_piece.hpp"

namespace {

using perrin::Key;

constexpr double kDeviation = 0.02, kEps = 1e-12;  // initializer_range and layer_norm_eps of BERT's configuration

// The file's name of parameter `name`: some files have "bert." before it, old ones gamma and beta for a norm's.
std::string name_in(const perrin::WeightsFile& file, const std::string& name) {
  for (const std::string prefix : {"", "bert."}) {
    if (file.has(prefix + name)) return prefix + name;
    const size_t norm = name.find("LayerNorm.");
    if (norm == std::string::npos) continue;
    const bool weight = name.ends_with(".weight");
    const std::string old = prefix + name.substr(0, norm + 10) + (weight ? "gamma" : "beta");
    if (file.has(old)) return old;
  }
  return name;
}

class Bert {
 public:
  static constexpr std::string_view id = "bert";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "BERT (1810.04805), without dropout: WordPiece tokens and a bidirectional transformer, in the layout of "
      "transformers' BertModel. The vector is its pooler's. The defaults are bert-base-uncased.";
  static std::vector<Key> keys() {
    return text::Slots::keys(
        {Key::string("vocabulary", "\"\"", "the model's vocab.txt, a token a line; or give `tokenizer`"),
         Key::string("tokenizer", "\"\"", "the model's tokenizer.json, which says all that `lower_case` does"),
         Key::string("weights", "\"\"", "a safetensors file of the model; empty: trained from random values"),
         Key::boolean("lower_case", "true", "lower case without accents, as the uncased models have it"),
         Key::integer("width", "768", "size of each token's vector").min(1),
         Key::integer("layers", "12", "number of transformer blocks").min(1),
         Key::integer("heads", "12", "attention heads of a block; divides width").min(1),
         Key::integer("hidden", "3072", "width inside the feed-forward layers").min(1),
         Key::integer("positions", "512", "rows of the table of positions").min(2),
         Key::integer("tokens", "77", "tokens of a text, [CLS] and [SEP] among them; a longer one is cut").min(2)});
  }
  explicit Bert(const perrin::Config& config)
      : source_(config),
        slots_(config),
        encoder_(encoder_of(config)),
        weights_(config.string("weights")),
        width_(config.integer("width")),
        layers_(config.integer("layers")),
        positions_(config.integer("positions")),
        length_(config.integer("tokens")),
        plan_{parameters_, width_, config.integer("heads"), config.integer("hidden"), "gelu", true, kEps},
        framing_(encoder_, length_) {}
  static void validate(const perrin::Config& config) {
    text::require_heads(config.integer("width"), config.integer("heads"));
    text::require_positions(config.integer("tokens"), config.integer("positions"));
    text::require_one_of(config, "tokenizer", {"vocabulary"});
  }

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    source_.infer(n, fields);
    token_.emplace(parameters_, "embeddings.word_embeddings", encoder_.size, width_, kDeviation);
    position_.emplace(parameters_, "embeddings.position_embeddings", positions_, width_, kDeviation);
    type_.emplace(parameters_, "embeddings.token_type_embeddings", 2, width_, kDeviation);
    norm_.emplace(parameters_, "embeddings.LayerNorm", width_, kEps);
    for (int64_t i = 0; i < layers_; ++i)
      blocks_.emplace_back(plan_, "encoder.layer." + std::to_string(i) + ".", names());
    if (slots_.has_vector()) pooler_.emplace(parameters_, "pooler.dense", width_, width_, kDeviation);
    if (!weights_.empty()) {
      const perrin::WeightsFile file(weights_);
      file.give(parameters_, [&](const std::string& name) { return name_in(file, name); });
    }
    return slots_.infer(parameters_, source_, length_, width_);
  }

  double drop_probability() const { return source_.drop(); }
  uint64_t text_limit() const { return static_cast<uint64_t>(length_); }
  std::vector<uint64_t> text_lengths(const perrin::Fields& fields) {
    return framing_.lengths(source_.read(fields, nullptr));
  }

  perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) {
    const text::Batch batch = source_.read(fields, drop);
    const text::Rows rows = framing_(call, batch);
    const at::Tensor first_type = type_->weight()[0];                  // a text alone is of the first type
    const at::Tensor here = position_->weight().slice(0, 0, length_);  // [length, width]
    at::Tensor x = (*norm_)((*token_)(rows.tokens).add(first_type).add(here));
    const text::Mask mask{false, rows.real.to(x.device()).unsqueeze(1).unsqueeze(1)};
    for (const text::Block& block : blocks_) x = block(x, mask);
    return slots_.fill(x, rows, batch,
                       [&](const at::Tensor& states) { return at::tanh((*pooler_)(states.select(1, 0))); });
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  static text::Encoder encoder_of(const perrin::Config& config) {
    if (const std::string file = config.string("tokenizer"); !file.empty())
      return text::read_tokenizer(file, {"[CLS]", "[SEP]", "[PAD]"});
    const std::string file = config.string("vocabulary");
    const auto words = std::make_shared<text::WordPiece>(file, text::lines_of(file), config.boolean("lower_case"));
    return {[words](std::string_view part) { return words->encode(part); },
            {words->separator(), words->padding(), words->first()},
            static_cast<int64_t>(words->size())};
  }
  static text::Names names() {
    return {"attention.self.query",       "attention.self.key", "attention.self.value", "attention.output.dense",
            "attention.output.LayerNorm", "intermediate.dense", "output.dense",         "output.LayerNorm"};
  }

  text::Source source_;
  text::Slots slots_;
  text::Encoder encoder_;
  std::string weights_;
  int64_t width_, layers_, positions_, length_;
  perrin::Parameters parameters_;
  text::Plan plan_;
  text::Framing framing_;
  std::optional<text::Table> token_, position_, type_;
  std::optional<perrin::LayerNorm> norm_;
  std::deque<text::Block> blocks_;
  std::optional<text::Dense> pooler_;
};
PERRIN_CONDITIONER(Bert);

}  // namespace
