// One learnt vector or sequence per class, and one that stands for "no class" (classifier-free guidance, 2207.12598,
// algorithm 1).
#include <ATen/ops/empty.h>

#include <algorithm>
#include <perrin/cpp/conditioner.hpp>
#include <perrin/cpp/layers.hpp>

namespace {

using perrin::Failure;
using perrin::Key;

class ClassLabel {
 public:
  static constexpr std::string_view id = "class-label";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "A learnt vector or sequence per class, and a null one for classifier-free guidance (2207.12598, algorithm 1).";
  static std::vector<Key> keys() {
    return {
        Key::integer("width", "128", "size of each vector that the denoiser is given").min(1),
        Key::integer("tokens", "0", "0: one vector; more: a sequence of that many, for a denoiser that attends to it")
            .min(0),
        Key::number("drop", "0.1", "probability that training hides a sample's class").min(0).max(1),
        Key::string("field", "\"label\"", "the dataset's field that holds the class")};
  }
  explicit ClassLabel(const perrin::Config& config)
      : width_(config.integer("width")),
        tokens_(config.integer("tokens")),
        drop_(config.number("drop")),
        field_(config.string("field")) {}

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    classes_ = static_cast<int64_t>(find(n, fields).n_classes);
    embedding_.emplace(parameters_, "embedding", classes_ + 1, width_ * std::max<int64_t>(tokens_, 1));  // last: null
    perrin_conditioning_spec spec{};
    spec.struct_size = sizeof spec;
    spec.slots = tokens_ > 0 ? PERRIN_SLOT_SEQUENCE : PERRIN_SLOT_VECTOR;
    if (tokens_ > 0)
      spec.sequence = {perrin::text("sequence"), PERRIN_FLOAT32, 2, {tokens_, width_}};
    else
      spec.vector = {perrin::text("vector"), PERRIN_FLOAT32, 1, {width_}};
    return spec;
  }

  double drop_probability() const { return drop_; }

  perrin::Conditioning encode(const perrin_call&, const perrin::Fields& fields, const uint8_t* drop) const {
    const at::Tensor labels = fields[field_].to(at::kCPU, at::kLong).contiguous();  // [B]
    const at::Tensor rows = at::empty({labels.numel()}, labels.options());
    for (int64_t i = 0; i < labels.numel(); ++i) {
      const bool hidden = drop != nullptr && drop[i] != 0;
      rows.mutable_data_ptr<int64_t>()[i] = hidden ? classes_ : checked(labels.const_data_ptr<int64_t>()[i], i);
    }
    const at::Tensor chosen = (*embedding_)(rows.to(embedding_->device()));
    if (tokens_ == 0) return {chosen, {}, {}};            // [B, width]
    return {{}, chosen.view({-1, tokens_, width_}), {}};  // [B, tokens, width]
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  const perrin_field& find(uint32_t n, const perrin_field* fields) const {
    std::string names;
    for (uint32_t i = 0; i < n; ++i) {
      if (perrin::view(fields[i].spec.name) != field_) {
        names += (names.empty() ? "" : ", ") + std::string(perrin::view(fields[i].spec.name));
      } else if (fields[i].n_classes == 0 || fields[i].spec.rank != 0) {
        throw Failure(PERRIN_INVALID_CONFIG, "the dataset's field \"" + field_ +
                                                 "\" is not a class: it needs rank 0, not " +
                                                 std::to_string(fields[i].spec.rank) + ", and a number of classes");
      } else {
        return fields[i];
      }
    }
    throw Failure(PERRIN_INVALID_CONFIG, "the dataset has no field \"" + field_ + "\"; it has: " + names);
  }

  int64_t checked(int64_t label, int64_t i) const {
    if (label >= 0 && label < classes_) return label;
    throw Failure(PERRIN_INVALID_DATA, "sample " + std::to_string(i) + " of the batch has class " +
                                           std::to_string(label) + "; the dataset has classes 0 to " +
                                           std::to_string(classes_ - 1));
  }

  int64_t width_, tokens_, classes_ = 0;
  double drop_;
  std::string field_;
  perrin::Parameters parameters_;
  std::optional<perrin::Embedding> embedding_;
};
PERRIN_CONDITIONER(ClassLabel);

}  // namespace
