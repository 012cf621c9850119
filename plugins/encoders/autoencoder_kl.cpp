// The first stage of latent diffusion with a Gaussian posterior (2112.10752, section 3.1, "KL-reg."; 1312.6114).
#include <perrin/cpp/encoder.hpp>

#include "first_stage.hpp"

namespace {

using perrin::Key;

// N(mean, exp(log_variance)), diagonal. In float32 at least, whatever the network computes in.
struct Posterior {
  at::Tensor mean, log_variance;  // [B, latent_channels, ...]

  // moments: [B, 2 latent_channels, ...]. The bounds are CompVis'.
  explicit Posterior(const at::Tensor& moments) {
    const auto halves = moments.to(c10::promoteTypes(moments.scalar_type(), at::kFloat)).chunk(2, 1);
    mean = halves[0], log_variance = halves[1].clamp(-30.0, 20.0);
  }
};

class AutoencoderKL {
 public:
  static constexpr std::string_view id = "autoencoder-kl";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "The autoencoder of latent diffusion with a Gaussian posterior (2112.10752), laid out as diffusers' "
      "AutoencoderKL; for images and clips, with every way of halving and doubling.";
  static std::vector<Key> keys() {
    std::vector<Key> keys = first_stage::keys();
    keys.push_back(Key::string("latent", "'mean'",
                               "what of the posterior the next stage is given: its mean, or a draw of the run's seed")
                       .choices({"mean", "sample"}));
    return keys;
  }
  static void validate(const perrin::Config& config) { first_stage::Settings{config}; }
  static constexpr perrin_encoder_output outputs[] = {{PERRIN_TEXT("posterior_mean"), PERRIN_OUTPUT_INPUT, 0},
                                                      {PERRIN_TEXT("posterior_log_variance"), PERRIN_OUTPUT_INPUT, 0}};

  explicit AutoencoderKL(const perrin::Config& config)
      : stage_(config, 2),
        draws_(config.string("latent") == "sample"),
        rng_(perrin::service<perrin_host_rng>(PERRIN_HOST_RNG)) {}

  perrin_spec infer(const perrin_spec& x) { return stage_.infer(id, x); }

  at::Tensor encode(const perrin_call& call, const at::Tensor& x) const {
    const Posterior q(stage_.encode(call, x, false));
    return draws_ ? draw(call, q) : q.mean;
  }
  perrin::Encoded encode_training(const perrin_call& call, const at::Tensor& x) const {
    const Posterior q(stage_.encode(call, x, true));
    return {draw(call, q), {q.mean, q.log_variance}};
  }
  at::Tensor decode(const perrin_call& call, const at::Tensor& z) const { return stage_.decode(call, z); }
  std::string_view last_layer() const { return first_stage::FirstStage::last_layer; }
  perrin::Parameters& parameters() { return stage_.parameters(); }

 private:
  // mean + exp(log_variance / 2) eps (1312.6114, section 2.4).
  at::Tensor draw(const perrin_call& call, const Posterior& q) const {
    return q.mean.add(q.log_variance.mul(0.5).exp().mul(noise(call, q.mean)));
  }

  // eps ~ N(0, 1) of the shape of `like`: a function of (seed, sample, element), an image's elements numbered as
  // [H, W, C], a clip's as [T, H, W, C].
  at::Tensor noise(const perrin_call& call, const at::Tensor& like) const {
    const at::Tensor eps = at::empty(like.movedim(1, -1).sizes(), at::kFloat);
    const auto n = static_cast<uint64_t>(eps.numel() / eps.size(0));
    float* data = eps.mutable_data_ptr<float>();
    at::parallel_for(0, eps.size(0), 1, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; ++b)
        rng_->normal({call.seed, PERRIN_PURPOSE_ENCODER, 0}, call.samples[b], 0, n,
                     data + static_cast<uint64_t>(b) * n);
    });
    return eps.movedim(-1, 1).to(like.options());
  }

  first_stage::FirstStage stage_;
  bool draws_;
  const perrin_host_rng* rng_;
};
PERRIN_ENCODER(AutoencoderKL);

}  // namespace
