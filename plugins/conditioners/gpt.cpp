// GPT-2's decoder (Radford et al. 2019) with the parameters' names of transformers' GPT2Model.
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <perrin/cpp/weights.hpp>

#include "byte_bpe.hpp"
#include "text_model.hpp"
#include "text_slots.hpp"
#include "tokenizer.hpp"

namespace {

using perrin::Failure;
using perrin::Key;

constexpr double kDeviation = 0.02;  // initializer_range of GPT-2's configuration

// Where GPT2Model keeps a parameter: a linear layer's weight as [in, out], those of q, k and v side by side.
struct Held {
  std::string name;
  bool linear;
  std::optional<int64_t> third;  // of "c_attn"
};

Held held_as(const std::string& name) {
  for (int64_t third = 0; third < 3; ++third) {
    const std::string part = std::string(".attn.") + "qkv"[third] + ".";
    if (const size_t at = name.find(part); at != name.npos)
      return {std::string(name).replace(at, part.size(), ".attn.c_attn."), true, third};
  }
  return {name, name.find(".attn.") != name.npos || name.find(".mlp.") != name.npos, {}};
}

class Gpt {
 public:
  static constexpr std::string_view id = "gpt";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "GPT-2 (Radford et al. 2019), without dropout: byte-level BPE and a causal transformer, in the layout of "
      "transformers' GPT2Model. Behind a text stands <|endoftext|>, whose state is the vector. The defaults are the "
      "smallest GPT-2.";
  static std::vector<Key> keys() {
    return text::Slots::keys(
        {Key::string("vocabulary", "\"\"", "the model's vocab.json; or give `tokenizer`"),
         Key::string("merges", "\"\"", "the model's merges.txt"),
         Key::string("tokenizer", "\"\"", "the model's tokenizer.json, instead of `vocabulary` and `merges`"),
         Key::string("weights", "\"\"", "a safetensors file of the model; empty: trained from random values"),
         Key::integer("width", "768", "size of each token's vector").min(1),
         Key::integer("layers", "12", "number of transformer blocks").min(1),
         Key::integer("heads", "12", "attention heads of a block; divides width").min(1),
         Key::integer("positions", "1024", "rows of the table of positions").min(2),
         Key::integer("tokens", "77", "tokens of a text, its end among them; a longer one is cut").min(2)});
  }
  explicit Gpt(const perrin::Config& config)
      : source_(config),
        slots_(config),
        encoder_(encoder_of(config)),
        weights_(config.string("weights")),
        width_(config.integer("width")),
        layers_(config.integer("layers")),
        positions_(config.integer("positions")),
        length_(config.integer("tokens")),
        plan_{parameters_, width_, config.integer("heads"), 4 * width_, "gelu-tanh"},
        framing_(encoder_, length_) {}
  static void validate(const perrin::Config& config) {
    text::require_heads(config.integer("width"), config.integer("heads"));
    text::require_positions(config.integer("tokens"), config.integer("positions"));
    text::require_one_of(config, "tokenizer", {"vocabulary", "merges"});
  }

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    source_.infer(n, fields);
    token_.emplace(parameters_, "wte", encoder_.size, width_, kDeviation);
    position_.emplace(parameters_, "wpe", positions_, width_, kDeviation);
    // The output layers are scaled with the depth (Radford et al. 2019, section 2.3).
    plan_.out = plan_.fc2 = kDeviation / std::sqrt(2 * static_cast<double>(layers_));
    for (int64_t i = 0; i < layers_; ++i) blocks_.emplace_back(plan_, "h." + std::to_string(i) + ".", names());
    norm_.emplace(parameters_, "ln_f", width_);
    if (!weights_.empty()) give(perrin::WeightsFile(weights_));
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
    at::Tensor x = (*token_)(rows.tokens).add(position_->weight().slice(0, 0, length_));  // [B, length, width]
    for (const text::Block& block : blocks_) x = block(x, text::Mask{true, {}});
    return slots_.fill((*norm_)(x), rows, batch, [&](const at::Tensor& states) {
      const at::Tensor last = at::tensor(rows.lengths).sub(1).to(states.device());
      const at::Tensor rows_before = at::arange(states.size(0), last.options()).mul(length_);
      return states.flatten(0, 1).index_select(0, last.add(rows_before));
    });
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  static text::Names names() {
    return {"attn.q", "attn.k", "attn.v", "attn.c_proj", "ln_1", "mlp.c_fc", "mlp.c_proj", "ln_2"};
  }
  static text::Encoder encoder_of(const perrin::Config& config) {
    constexpr const char* kEnd = "<|endoftext|>";
    if (const std::string file = config.string("tokenizer"); !file.empty()) return text::read_tokenizer(file, {"", kEnd, ""});
    const text::Vocabulary vocabulary = text::read_vocabulary(config.string("vocabulary"), "vocabulary");
    const auto end = vocabulary.find(kEnd);
    if (end == vocabulary.end())
      throw Failure(PERRIN_INVALID_DATA, "its vocabulary has no <|endoftext|>: it is not the vocab.json of a GPT-2");
    int64_t size = 0;
    for (const auto& [token, number] : vocabulary) size = std::max<int64_t>(size, number + 1);
    const auto bpe =
        std::make_shared<text::Bpe>(vocabulary, text::read_merges(config.string("merges"), "merges"), "", end->second);
    const auto encode = [bpe](std::string_view part) {
      std::vector<int64_t> result;
      for (const std::string_view piece : text::pieces(part)) {
        const std::vector<int32_t>& own = (*bpe)(piece);
        result.insert(result.end(), own.begin(), own.end());
      }
      return result;
    };
    return {encode, {end->second, end->second}, size};
  }

  void give(const perrin::WeightsFile& file) {
    if (!file.metadata("perrin.conditioner").empty()) return;  // the host reads what it wrote, in this class's layout
    const std::string prefix = file.has("wte.weight") ? "" : "transformer.";
    parameters_.give([&](const std::string& name, at::IntArrayRef sizes) {
      const Held held = held_as(name);
      at::Tensor value = file[prefix + held.name];
      if (held.linear && value.dim() == 2) value = value.t();
      if (held.third && value.size(0) == 3 * width_) value = value.narrow(0, *held.third * width_, width_);
      if (value.sizes() == sizes) return value;
      throw Failure(PERRIN_INVALID_DATA, c10::str(file.file(), ": tensor \"", prefix, held.name, "\" gives ",
                                                  value.sizes(), ", and the component's \"", name, "\" is ", sizes));
    });
  }

  text::Source source_;
  text::Slots slots_;
  text::Encoder encoder_;
  std::string weights_;
  int64_t width_, layers_, positions_, length_;
  perrin::Parameters parameters_;
  text::Plan plan_;
  text::Framing framing_;
  std::optional<text::Table> token_, position_;
  std::deque<text::Block> blocks_;
  std::optional<perrin::LayerNorm> norm_;
};
PERRIN_CONDITIONER(Gpt);

}  // namespace
