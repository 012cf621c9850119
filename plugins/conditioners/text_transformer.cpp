// A text encoder without outside files: byte-level BPE that learns its vocabulary from the dataset's texts, and a
// transformer whose tokens all see each other (1706.03762, normalised before each layer as in 2002.04745).

#include "byte_bpe.hpp"
#include "text_model.hpp"
#include "text_slots.hpp"

namespace {

using perrin::Failure;
using perrin::Key;

constexpr int64_t kPadding = 0, kEnd = 1, kMarks = 2;  // the BPE's tokens follow

class TextTransformer : public perrin::State {
 public:
  static constexpr std::string_view id = "text-transformer";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "A small text encoder with no outside files: byte-level BPE learnt from the dataset's texts (1508.07909), and a "
      "bidirectional transformer (1706.03762). The vector is the mean of the text's tokens.";
  static std::vector<Key> keys() {
    return text::Slots::keys(
        {Key::integer("width", "256", "size of each token's vector").min(1),
         Key::integer("layers", "4", "number of transformer blocks").min(1),
         Key::integer("heads", "4", "attention heads of a block; divides width").min(1),
         Key::integer("tokens", "32", "tokens of a text, its end among them; a longer one is cut").min(2).max(4096),
         Key::integer("vocabulary_size", "2048", "padding, end, the 256 bytes and as many joined pairs as fit")
             .min(258),
         Key::integer("samples", "10000", "texts of the training data that the vocabulary is learnt from").min(1)});
  }
  explicit TextTransformer(const perrin::Config& config)
      : source_(config),
        slots_(config),
        width_(config.integer("width")),
        layers_(config.integer("layers")),
        heads_(config.integer("heads")),
        length_(config.integer("tokens")),
        vocabulary_size_(config.integer("vocabulary_size")),
        samples_(config.integer("samples")),
        framing_({[this](std::string_view part) { return tokens(part); }, {kEnd, kPadding}, vocabulary_size_}, length_) {
    take({});
  }
  static void validate(const perrin::Config& config) {
    text::require_heads(config.integer("width"), config.integer("heads"));
  }

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    source_.infer(n, fields);
    table_.emplace(parameters_, "tokens", vocabulary_size_, width_, 0.02);
    positions_ = &parameters_.add("positions", {length_, width_}, perrin::Init::normal(0.01), no_decay());
    const text::Plan plan{parameters_, width_, heads_, 4 * width_, "gelu"};
    for (int64_t i = 0; i < layers_; ++i) blocks_.emplace_back(plan, "blocks." + std::to_string(i) + ".", names());
    norm_.emplace(parameters_, "norm", width_);
    return slots_.infer(parameters_, source_, length_, width_);
  }

  double drop_probability() const { return source_.drop(); }
  uint64_t text_limit() const { return static_cast<uint64_t>(length_); }
  std::vector<uint64_t> text_lengths(const perrin::Fields& fields) {
    return framing_.lengths(source_.read(fields, nullptr));
  }

  // Sees bytes alone until it is fit or loads what it was fit to.
  perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) {
    const text::Batch batch = source_.read(fields, drop);
    const text::Rows rows = framing_(call, batch);
    at::Tensor x = (*table_)(rows.tokens).add(*positions_);  // [B, length, width]
    const text::Mask mask{false, rows.real.to(x.device()).unsqueeze(1).unsqueeze(1)};
    for (const text::Block& block : blocks_) x = block(x, mask);
    return slots_.fill((*norm_)(x), rows, batch,
                       [&](const at::Tensor& states) { return text::mean_of_real(states, rows.real); });
  }

  perrin::Parameters& parameters() { return parameters_; }

  uint64_t fit_samples() const { return static_cast<uint64_t>(samples_); }
  void observe(const perrin::Fields& fields) {
    for (const std::string& one : source_.read(fields, nullptr).texts)
      for (const std::string_view piece : text::pieces(one)) ++counts_[std::string(piece)];
  }
  void fit() {
    if (counts_.empty())
      throw Failure(PERRIN_INVALID_DATA, "every text it saw of the dataset is empty: there is no vocabulary to learn");
    take(text::learn(counts_, static_cast<size_t>(vocabulary_size_ - kMarks)));
    counts_.clear();
  }

  // The text of a merges.txt.
  std::vector<uint8_t> save() const {
    const std::string lines = text::merges_text(merges_);
    return {lines.begin(), lines.end()};
  }
  void load(const std::vector<uint8_t>& bytes) {
    take(text::parse_merges({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "the learnt vocabulary"));
  }

 private:
  std::vector<int64_t> tokens(std::string_view part) {
    std::vector<int64_t> tokens;
    for (const std::string_view piece : text::pieces(part))
      for (const int32_t token : (*bpe_)(piece)) tokens.push_back(token + kMarks);
    return tokens;
  }
  void take(text::Merges merges) {
    const text::Vocabulary vocabulary = text::vocabulary_of(merges);
    const auto size = static_cast<int64_t>(vocabulary.size()) + kMarks;
    if (size > vocabulary_size_)
      throw Failure(PERRIN_INVALID_DATA,
                    "the learnt vocabulary has " + std::to_string(size) +
                        " tokens, more than vocabulary_size = " + std::to_string(vocabulary_size_));
    bpe_ = text::Bpe(vocabulary, merges, "", 0);  // it has every byte: nothing is unknown
    merges_ = std::move(merges);
  }
  static text::Names names() {
    return {"attn.q", "attn.k", "attn.v", "attn.proj", "norm1", "mlp.fc1", "mlp.fc2", "norm2"};
  }
  static perrin::Parameters::Options no_decay() {
    perrin::Parameters::Options options;
    options.no_decay = true;
    return options;
  }

  text::Source source_;
  text::Slots slots_;
  int64_t width_, layers_, heads_, length_, vocabulary_size_, samples_;
  text::Framing framing_;
  text::Merges merges_;
  std::optional<text::Bpe> bpe_;
  text::PieceCounts counts_;
  perrin::Parameters parameters_;
  std::optional<text::Table> table_;
  const at::Tensor* positions_ = nullptr;
  std::deque<text::Block> blocks_;
  std::optional<perrin::LayerNorm> norm_;
};
PERRIN_CONDITIONER(TextTransformer);

}  // namespace
