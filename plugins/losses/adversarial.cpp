// The adversarial loss of a first stage (2012.09841, section 3.2; 2112.10752, appendix G): a PatchGAN that tells data
// from reconstructions is trained beside the autoencoder, which is trained against it.
#include <ATen/ops/empty.h>

#include <cmath>
#include <optional>
#include <perrin/cpp/torch_loss.hpp>

#include "adversarial_settings.hpp"
#include "diff_augment.hpp"

namespace {

using losses::AdversarialSettings;
using losses::DiffAugment;
using perrin::Failure;

class Adversarial {
 public:
  static constexpr std::string_view id = "adversarial", version = "0.1.0";
  static constexpr std::string_view doc =
      "A PatchGAN discriminator (1611.07004), trained to tell the data from reconstructions, against which the first "
      "stage is trained, as in latent diffusion (2112.10752, appendix G).";
  static std::vector<perrin::Key> keys() { return AdversarialSettings::keys(); }
  static void validate(const perrin::Config& config) { AdversarialSettings::validate(config); }
  explicit Adversarial(const perrin::Config& config) : settings_(config), augment_(settings_.augment) {}

  static constexpr perrin_text inputs[] = {PERRIN_TEXT("x"), PERRIN_TEXT("reconstruction"), PERRIN_TEXT("terms"),
                                           PERRIN_TEXT("last_layer")};
  uint32_t n_inputs() const { return settings_.adaptive ? 4 : 2; }  // the first so many of `inputs`

  static constexpr perrin_trace_value traced[] = {
      {PERRIN_TEXT("logits_real"), PERRIN_TEXT(""), PERRIN_TEXT("mean logit of the data")},
      {PERRIN_TEXT("logits_fake"), PERRIN_TEXT(""), PERRIN_TEXT("mean logit of the reconstructions")},
      {PERRIN_TEXT("weight"), PERRIN_TEXT(""), PERRIN_TEXT("adaptive weight, without the term's own")},
      {PERRIN_TEXT("penalty"), PERRIN_TEXT(""), PERRIN_TEXT("gradient penalty and R1, weighted; nan without")}};
  void trace(double* values) const;

  void infer(const perrin::InputShapes& shapes);
  at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in);
  at::Tensor oppose(const perrin_call& call, const perrin::TorchLossInputs& in);
  perrin::Parameters& parameters() { return parameters_; }

 private:
  at::Tensor penalty(const perrin_call& call, const at::Tensor& real, const at::Tensor& fake) const;

  AdversarialSettings settings_;
  DiffAugment augment_;
  perrin::Parameters parameters_;
  std::optional<losses::PatchGan> discriminator_;
  at::Tensor logits_real_, logits_fake_, weight_, penalty_;  // of the latest training call
};

void Adversarial::infer(const perrin::InputShapes& shapes) {
  const perrin_spec& x = shapes["x"];
  if (x.rank != 3)
    throw Failure(PERRIN_INVALID_CONFIG, "the discriminator needs images [C, H, W]; the data have rank " +
                                             std::to_string(x.rank) + " without the batch");
  discriminator_.emplace(parameters_, x, settings_.channels, settings_.layers, settings_.norm);
}

// The autoencoder's loss, [B].
at::Tensor Adversarial::values(const perrin_call& call, const perrin::TorchLossInputs& in) {
  const at::Tensor fake = augment_(in["reconstruction"], call, DiffAugment::Of::fake);
  const at::Tensor logits = (*discriminator_)(fake).to(in["x"].scalar_type());  // [B, 1, h, w]
  const at::Tensor own = losses::score(losses::of_generator(settings_.objective, logits));
  // Outside of training there is no gradient to weigh by: the values are those of weight one.
  if (!settings_.adaptive || !own.requires_grad() || !call.training) return own;
  weight_ = losses::adaptive_weight(in["terms"], own.mean(), in["last_layer"]).to(own.scalar_type());
  return own * weight_;
}

// The discriminator's, [B].
at::Tensor Adversarial::oppose(const perrin_call& call, const perrin::TorchLossInputs& in) {
  if (call.training) discriminator_->iterate();
  const at::Tensor x = in["x"];
  const at::Tensor real = augment_(x, call, DiffAugment::Of::real);
  const at::Tensor fake = augment_(in["reconstruction"].to(x.scalar_type()), call, DiffAugment::Of::fake);
  const at::Tensor logits_real = (*discriminator_)(real).to(x.scalar_type());
  const at::Tensor logits_fake = (*discriminator_)(fake).to(x.scalar_type());
  logits_real_ = logits_real.detach().mean();
  logits_fake_ = logits_fake.detach().mean();
  const at::Tensor own = (losses::score(losses::of_real(settings_.objective, logits_real)) +
                          losses::score(losses::of_fake(settings_.objective, logits_fake))) *
                         losses::share(settings_.objective);
  if (settings_.gradient_penalty == 0 && settings_.r1 == 0) return own;
  const at::Tensor smooth = penalty(call, real, fake);
  penalty_ = smooth.detach().mean();
  return own + smooth;
}

// Of the discriminator's mean over patches, at the images that it sees.
at::Tensor Adversarial::penalty(const perrin_call& call, const at::Tensor& real, const at::Tensor& fake) const {
  const losses::Critic critic = [&](const at::Tensor& x) { return losses::score((*discriminator_)(x)); };
  at::Tensor sum;
  if (settings_.r1 > 0) sum = losses::squared_slope(critic, real) * (settings_.r1 / 2);  // 1801.04406 Eq. 9
  if (settings_.gradient_penalty == 0) return sum;
  const auto* rng = perrin::service<perrin_host_rng>(PERRIN_HOST_RNG);
  const at::Tensor epsilon = at::empty({real.size(0), 1, 1, 1}, at::kFloat);  // 1704.00028, algorithm 1
  for (uint32_t b = 0; b < call.n; ++b)
    rng->uniform({call.seed, PERRIN_PURPOSE_LOSS, call.step}, call.samples[b], 0, 1,
                 epsilon.mutable_data_ptr<float>() + b);
  const at::Tensor between = fake + (real - fake) * epsilon.to(real.device(), real.scalar_type());
  const at::Tensor own = losses::gradient_penalty(critic, between) * settings_.gradient_penalty;
  return sum.defined() ? sum + own : own;
}

void Adversarial::trace(double* values) const {
  for (const at::Tensor* number : {&logits_real_, &logits_fake_, &weight_, &penalty_})
    *values++ = number->defined() ? number->item<double>() : std::nan("");
}

// With inputs that depend on the instance: without adaptive weight an encoder need not name its last layer.
template <class T>
struct Adapter : perrin::TorchLossAdapter<T> {
  static perrin_status* names(void* instance, uint32_t* n, const perrin_text** names) {
    *n = static_cast<const T*>(instance)->n_inputs();
    *names = T::inputs;
    return nullptr;
  }
  static const void* get_extension(perrin_text id) {
    static constexpr perrin_loss_inputs named = {sizeof(perrin_loss_inputs), 0, names};
    return perrin::view(id) == PERRIN_LOSS_INPUTS ? &named : perrin::TorchLossAdapter<T>::get_extension(id);
  }
};
PERRIN_COMPONENT(PERRIN_KIND_LOSS, Adapter, Adversarial);

}  // namespace
