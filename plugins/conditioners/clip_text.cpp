// CLIP's text encoder (2103.00020, section 2.4): a causal transformer over byte pair tokens. Parameter names are those
// of transformers' CLIPTextModel behind "text_model."; initial weights are those of CLIP's own model.py.
#include <ATen/ops/empty.h>

#include <perrin/cpp/weights.hpp>

#include "clip_bpe.hpp"
#include "text_model.hpp"
#include "token_rows.hpp"

namespace {

using perrin::Failure;
using perrin::Key;

const text::Names kNames = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
                            "layer_norm1",      "mlp.fc1",          "mlp.fc2",          "layer_norm2"};
const std::string kTokens = "embeddings.token_embedding.weight";

// Where each text's first end token is: [B] int64.
at::Tensor ends(const at::Tensor& tokens, int64_t end) {  // [B, max_tokens] int64
  const at::Tensor places = at::empty({tokens.size(0)}, at::kLong);
  const int64_t *row = tokens.const_data_ptr<int64_t>(), length = tokens.size(1);
  for (int64_t b = 0; b < tokens.size(0); ++b, row += length)
    places.mutable_data_ptr<int64_t>()[b] = std::find(row, row + length, end) - row;
  return places;
}

class ClipText {
 public:
  static constexpr std::string_view id = "clip-text", version = "0.1.0";
  static constexpr std::string_view doc =
      "CLIP's text encoder (2103.00020, section 2.4): byte pair tokens through a causal transformer, as a sequence to "
      "attend to, as the vector at the end token, or both. By default that of Stable Diffusion 1 (ViT-L/14), with a "
      "small vocabulary that is built in.";
  static std::vector<Key> keys();
  static void validate(const perrin::Config& config);
  explicit ClipText(const perrin::Config& config);

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields);
  double drop_probability() const { return source_.drop(); }
  uint64_t text_limit() const { return static_cast<uint64_t>(max_tokens_); }
  std::vector<uint64_t> text_lengths(const perrin::Fields& fields) {
    return framing_->lengths(source_.read(fields, nullptr));
  }
  perrin::Conditioning encode(const perrin_call&, const perrin::Fields& fields, const uint8_t* drop);
  perrin::Parameters& parameters() { return p_; }

 private:
  text::Encoder read_vocabulary() const;
  void read_tokenizer();
  void declare();
  void read_weights();

  text::Source source_;
  std::string vocabulary_, merges_, tokenizer_, weights_, activation_;
  bool html_, zero_padding_;
  int64_t entries_, max_tokens_, width_, layers_, heads_, projection_width_;
  bool sequence_, vector_, penultimate_;
  std::optional<text::Encoder> encoder_;
  std::optional<text::Framing> framing_;
  perrin::Parameters p_;
  std::optional<text::Table> tokens_, positions_;
  std::vector<text::Block> blocks_;
  std::optional<perrin::LayerNorm> norm_;
  std::optional<text::Dense> projection_;
  std::optional<text::LearntNull> null_sequence_, null_vector_;
};
PERRIN_CONDITIONER(ClipText);

std::vector<Key> ClipText::keys() {
  return text::Source::keys({
      Key::string(
          "vocabulary", "\"\"",
          "file of tokens and their numbers (vocab.json); empty: bytes, then what `merges` makes, as CLIP does"),
      Key::string("merges", "\"\"",
                  "file of pairs that are joined (merges.txt); empty: the small list that is built in"),
      Key::string("tokenizer", "\"\"", "the model's tokenizer.json, instead of `vocabulary` and `merges`"),
      Key::string("cleaning", "\"transformers\"",
                  "what `vocabulary` and `merges` are given: the text as transformers' CLIPTokenizer cleans it, or with "
                  "HTML's character references replaced twice, as CLIP's own does it (html; without its ftfy)")
          .choices({"transformers", "html"}),
      Key::string("padding", "\"end\"",
                  "what stands behind a short text: the end token, as in OpenAI's models, or token 0, as in OpenCLIP's")
          .choices({"end", "zero"}),
      Key::integer("entries", "49408", "rows of the table of tokens; 0: as many as the vocabulary has").min(0),
      Key::integer("max_tokens", "77", "length of the sequence, start and end token included; longer texts are cut")
          .min(2),
      Key::integer("width", "768", "size of a token").min(1),
      Key::integer("layers", "12", "number of blocks").min(1),
      Key::integer("heads", "12", "attention heads").min(1),
      Key::string("activation", "\"quick-gelu\"",
                  "of the feed-forward: x sigmoid(1.702 x), as in OpenAI's models, or the exact one of OpenCLIP's")
          .choices({"quick-gelu", "gelu"}),
      Key::string(
          "layer", "\"last\"",
          "block whose output is the sequence; the final normalisation follows either. The vector is the last's")
          .choices({"last", "penultimate"}),
      Key::string("output", "\"sequence\"",
                  "what the denoiser or the loss is given; the vector is that of the end token")
          .choices({"sequence", "vector", "both"}),
      Key::integer("projection", "0", "width that the vector is projected to, without bias; 0: not projected").min(0),
      Key::string("weights", "\"\"",
                  "safetensors file of a CLIPTextModel, or of a model that has one; empty: untrained"),
  });
}

void ClipText::validate(const perrin::Config& config) {
  text::require_heads(config.integer("width"), config.integer("heads"));
  if (!config.string("tokenizer").empty() && !(config.string("vocabulary") + config.string("merges")).empty())
    throw Failure(PERRIN_INVALID_CONFIG, "`tokenizer` says what `vocabulary` and `merges` say: leave one out");
  if (!config.string("vocabulary").empty() && config.string("merges").empty())
    throw Failure(PERRIN_INVALID_CONFIG, "`vocabulary` needs `merges`, the merges.txt of the same model");
  if (config.integer("projection") > 0 && config.string("output") == "sequence")
    throw Failure(PERRIN_INVALID_CONFIG, "`projection` is of the vector: set output = \"vector\" or \"both\"");
  if (config.integer("layers") == 1 && config.string("layer") == "penultimate")
    throw Failure(PERRIN_INVALID_CONFIG, "layer = \"penultimate\" needs two layers");
}

ClipText::ClipText(const perrin::Config& config)
    : source_(config),
      vocabulary_(config.string("vocabulary")),
      merges_(config.string("merges")),
      tokenizer_(config.string("tokenizer")),
      weights_(config.string("weights")),
      activation_(config.string("activation")),
      html_(config.string("cleaning") == "html"),
      zero_padding_(config.string("padding") == "zero"),
      entries_(config.integer("entries")),
      max_tokens_(config.integer("max_tokens")),
      width_(config.integer("width")),
      layers_(config.integer("layers")),
      heads_(config.integer("heads")),
      projection_width_(config.integer("projection")),
      sequence_(config.string("output") != "vector"),
      vector_(config.string("output") != "sequence"),
      penultimate_(config.string("layer") == "penultimate") {}

perrin_conditioning_spec ClipText::infer(uint32_t n, const perrin_field* fields) {
  source_.infer(n, fields);
  read_tokenizer();
  declare();
  if (!weights_.empty()) read_weights();
  perrin_conditioning_spec spec{};
  spec.struct_size = sizeof spec;
  const int64_t vector = projection_width_ > 0 ? projection_width_ : width_;
  if (sequence_) {
    spec.slots |= PERRIN_SLOT_SEQUENCE;
    spec.sequence = {perrin::text("sequence"), PERRIN_FLOAT32, 2, {max_tokens_, width_}};
    if (source_.null_is_learnt()) null_sequence_.emplace(p_, "null.sequence", std::vector{max_tokens_, width_});
  }
  if (vector_) {
    spec.slots |= PERRIN_SLOT_VECTOR;
    spec.vector = {perrin::text("vector"), PERRIN_FLOAT32, 1, {vector}};
    if (source_.null_is_learnt()) null_vector_.emplace(p_, "null.vector", std::vector{vector});
  }
  return spec;
}

text::Encoder ClipText::read_vocabulary() const {
  const auto merges = merges_.empty() ? text::ClipBpe::small_merges() : text::read_merges(merges_, "merges");
  const auto bpe = std::make_shared<text::ClipBpe>(
      vocabulary_.empty() ? text::ClipBpe::vocabulary_of(merges) : text::read_vocabulary(vocabulary_, "vocabulary"),
      merges, html_);
  return {[bpe](std::string_view part) { return bpe->encode(part); },
          {.last = bpe->end(), .padding = bpe->end(), .first = bpe->start()},
          bpe->entries()};
}

void ClipText::read_tokenizer() {
  encoder_ = tokenizer_.empty() ? read_vocabulary()
                                : text::read_tokenizer(tokenizer_, {"<|startoftext|>", "<|endoftext|>", ""});
  if (zero_padding_) encoder_->marks.padding = 0;
  framing_.emplace(*encoder_, max_tokens_);
  if (entries_ == 0) entries_ = encoder_->size;
  if (encoder_->size > entries_)
    throw Failure(PERRIN_INVALID_CONFIG, "the vocabulary has " + std::to_string(encoder_->size) +
                                             " entries, and `entries` makes room for " + std::to_string(entries_) +
                                             ": set entries = 0, or another vocabulary");
}

void ClipText::declare() {
  tokens_.emplace(p_, "embeddings.token_embedding", entries_, width_, 0.02);
  positions_.emplace(p_, "embeddings.position_embedding", max_tokens_, width_, 0.01);
  const auto width = static_cast<double>(width_), depth = static_cast<double>(2 * layers_);
  const double in = 1 / std::sqrt(width), out = in / std::sqrt(depth), hidden = 1 / std::sqrt(2 * width);
  const text::Plan plan = {.p = p_,
                           .width = width_,
                           .heads = heads_,
                           .hidden = 4 * width_,
                           .activation = activation_,
                           .qkv = in,
                           .out = out,
                           .fc1 = hidden,
                           .fc2 = out};
  // What nobody reads is not there: the last block, where the sequence is the one before and there is no vector.
  const int64_t blocks = layers_ - (penultimate_ && !vector_);
  for (int64_t i = 0; i < blocks; ++i) blocks_.emplace_back(plan, "encoder.layers." + std::to_string(i) + ".", kNames);
  norm_.emplace(p_, "final_layer_norm", width_);
  if (projection_width_ > 0)
    projection_.emplace(p_, "text_projection", width_, projection_width_, in, text::Dense::Bias::none);
}

// Called before the learnt null condition is declared, which no file has.
void ClipText::read_weights() {
  const perrin::WeightsFile file(weights_);
  std::optional<std::string> prefix;  // "text_model.", "cond_stage_model.transformer.text_model.", "", ...
  for (const std::string& name : file.names())
    if (name == kTokens || name.ends_with("." + kTokens)) prefix = name.substr(0, name.size() - kTokens.size());
  if (!prefix)
    throw Failure(PERRIN_INVALID_DATA, file.file() + ": no tensor's name ends with " + kTokens +
                                           ": this is not a CLIPTextModel in the layout of transformers");
  const int64_t rows = file[*prefix + kTokens].size(0), own = merges_.empty() && tokenizer_.empty() ? encoder_->size : entries_;
  if (rows != entries_ || rows != own)  // the built-in vocabulary with another's table would be wrong without a word
    throw Failure(PERRIN_INVALID_DATA, file.file() + ": its table has " + std::to_string(rows) + " tokens, this one " +
                                           std::to_string(own) + ": set entries = " + std::to_string(rows) +
                                           ", and `tokenizer`, or `vocabulary` and `merges`, to the files of the same model");
  const std::string outer = prefix->ends_with("text_model.") ? prefix->substr(0, prefix->size() - 11) : *prefix;
  file.give(p_, [&](const std::string& name) {
    if (name == "text_projection.weight") return outer + name;
    return *prefix + name;
  });
}

perrin::Conditioning ClipText::encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) {
  const text::Batch batch = source_.read(fields, drop);
  const text::Rows rows = (*framing_)(call, batch);
  at::Tensor x = (*tokens_)(rows.tokens).add(positions_->weight()), sequence = x;  // [B, max_tokens, width]
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i](x, {.causal = true});
    if (!penultimate_ || static_cast<int64_t>(i) == layers_ - 2) sequence = x;
  }
  perrin::Conditioning result;
  if (sequence_) {
    result.sequence = text::weigh((*norm_)(sequence), rows.weights);
    if (null_sequence_) result.sequence = (*null_sequence_)(result.sequence, batch.null);
  }
  if (vector_) {
    const auto at_end = ends(rows.tokens, encoder_->marks.last).to(x.device()).view({-1, 1, 1}).expand({-1, 1, width_});
    result.vector = (*norm_)(x.gather(1, at_end).squeeze(1));  // [B, width]
    if (projection_) result.vector = (*projection_)(result.vector);
    if (null_vector_) result.vector = (*null_vector_)(result.vector, batch.null);
  }
  return result;
}

}  // namespace
