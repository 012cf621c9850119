// The first stage with a codebook (1711.00937; 2012.09841; 2112.10752, section 3.1, "VQ-reg.").
#include <perrin/cpp/encoder.hpp>

#include "first_stage.hpp"
#include "quantizer.hpp"

namespace {

using perrin::Key;

class Vq {
 public:
  static constexpr std::string_view id = "vq";
  static constexpr std::string_view version = "0.3.0";
  static constexpr std::string_view doc =
      "The autoencoder of latent diffusion with a codebook (2112.10752), laid out as diffusers' VQModel; for images "
      "and "
      "clips. Its own terms pull vectors and codes together (1711.00937, equation 3).";
  static std::vector<Key> keys() {
    std::vector<Key> keys = first_stage::keys();
    for (Key& key : first_stage::Quantizer::keys()) keys.push_back(std::move(key));
    keys.push_back(Key::string("latent", "'continuous'",
                               "what the next stage is given: the vectors before quantisation, as latent diffusion "
                               "has it (2112.10752, section 3.1), or their codes; decoding quantises either")
                       .choices({"continuous", "quantised"}));
    return keys;
  }
  static void validate(const perrin::Config& config) { first_stage::Settings{config}; }
  static constexpr perrin_encoder_output outputs[] = {{PERRIN_TEXT("commitment"), PERRIN_OUTPUT_TERM, 0},
                                                      {PERRIN_TEXT("codebook"), PERRIN_OUTPUT_TERM, 0}};
  static constexpr perrin_trace_value traced[] = {
      {PERRIN_TEXT("perplexity"), PERRIN_TEXT("codes"),
       PERRIN_TEXT("exp of the entropy of the codes' use in the batch")},
      {PERRIN_TEXT("usage"), PERRIN_TEXT(""), PERRIN_TEXT("share of the codes that the batch uses")},
      {PERRIN_TEXT("replaced"), PERRIN_TEXT("codes"), PERRIN_TEXT("dead codes that became vectors of the batch")}};

  explicit Vq(const perrin::Config& config)
      : stage_(config, 1),
        quantizer_(first_stage::Quantizer::settings(config), config.integer("latent_channels")),
        drawn_(config.string("weights").empty()),
        quantised_(config.string("latent") == "quantised") {}

  perrin_spec infer(const perrin_spec& x) {
    quantizer_.declare_codebook(stage_.parameters());
    const perrin_spec z = stage_.infer(id, x);
    quantizer_.declare_counts(stage_.parameters(), drawn_);
    return z;
  }

  at::Tensor encode(const perrin_call& call, const at::Tensor& x) const {
    const at::Tensor z = stage_.encode(call, x, false);
    return quantised_ ? quantizer_(z) : z;
  }
  perrin::Encoded encode_training(const perrin_call& call, const at::Tensor& x) {
    const auto trained = quantizer_.train(call, stage_.encode(call, x, true));
    return {trained.z, {trained.commitment, trained.codebook}};
  }
  // In training z is quantised already, with a gradient that a second time would cut.
  at::Tensor decode(const perrin_call& call, const at::Tensor& z) const {
    return stage_.decode(call, call.training ? z : quantizer_(z));
  }
  std::string_view last_layer() const { return first_stage::FirstStage::last_layer; }
  perrin::Parameters& parameters() { return stage_.parameters(); }

  void trace(double* values) const {
    values[0] = quantizer_.perplexity();
    values[1] = quantizer_.usage();
    values[2] = quantizer_.replaced();
  }

 private:
  first_stage::FirstStage stage_;
  first_stage::Quantizer quantizer_;
  bool drawn_, quantised_;
};
PERRIN_ENCODER(Vq);

}  // namespace
