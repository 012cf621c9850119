#include "host/config/host_tables.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace perrin::config {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array<Role, 11> kRoles = {{
    {"dataset", "", true, false, "where samples come from"},
    {"encoder", "identity", false, true, "first stage: pixels to latents and back; `identity` is pixel space"},
    {"conditioner", "", false, true,
     "turns fields of a sample (label, text, ...) into conditioning; none unless given, several as [[conditioner]]"},
    {"extractor", "", false, true,
     "a network that says something about images, trained alone or against the conditioner; a file with one has no "
     "diffusion: neither encoder, denoiser, schedule nor what follows here"},
    {"denoiser", "", true, true, "the network F(c_in x_t, c_noise, conditioning)"},
    {"schedule", "", true, false, "alpha(t) and sigma(t) of the forward process"},
    {"parameterization", "epsilon", false, false, "what the network predicts"},
    {"weighting", "uniform", false, false, "loss weight as a function of the noise level"},
    {"timesteps", "uniform", false, false, "how training draws t"},
    {"sampler", "ddim", false, false, "how samples are made from noise"},
    {"guidance", "none", false, false, "how conditional and unconditional predictions combine while sampling"},
}};

Key integer(std::string name, int64_t value, double min, std::string unit, std::string doc) {
  return {.name = std::move(name),
          .type = Type::integer,
          .default_value = value,
          .min = min,
          .unit = std::move(unit),
          .doc = std::move(doc)};
}

Key number(std::string name, double value, double min, std::optional<double> max, std::string doc) {
  return {.name = std::move(name),
          .type = Type::number,
          .default_value = value,
          .min = min,
          .max = max,
          .max_exclusive = max.has_value(),
          .doc = std::move(doc)};
}

Key choice(std::string name, std::string value, Texts choices, std::string doc) {
  return {.name = std::move(name),
          .type = Type::text,
          .default_value = std::move(value),
          .choices = std::move(choices),
          .doc = std::move(doc)};
}

Key positive(Key key) {
  key.min_exclusive = true;
  return key;
}

Key learning_rate(double value = 1e-4) { return positive(number("lr", value, 0, {}, "peak learning rate")); }

Key first_decay() { return number("beta1", 0.9, 0, 1, "decay of the first moment"); }
Key second_decay() { return number("beta2", 0.999, 0, 1, "decay of the second moment"); }
Key root_eps() { return number("eps", 1e-8, 0, {}, "added to the root of the second moment"); }

Key decoupled(double value) { return number("weight_decay", value, 0, {}, "decay per step, times the learning rate"); }

Key coupled() { return number("weight_decay", 0, 0, {}, "times the weight, added to its gradient"); }

Key decay_all() {
  return {.name = "decay_all",
          .type = Type::boolean,
          .default_value = false,
          .doc = "weight decay of biases, norms, embeddings and learnt conditions too, which it leaves alone otherwise; "
                 "torch.optim decays all that it is given"};
}

Key bounded(Key key, double max) {
  key.max = max;
  return key;
}

Factory host_factory(std::string kind, std::string id, std::string doc, std::vector<Key> keys) {
  return {std::move(kind), std::move(id), "", std::move(doc), "", "", {}, std::move(keys)};
}

Texts trainable_kinds() {
  Texts kinds;
  for (const Role& role : kRoles)
    if (role.trainable) kinds.emplace_back(role.kind);
  return kinds;
}

Key ema_widths() {
  return positive(bounded({.name = "ema_sigma_rel",
                           .type = Type::numbers,
                           .default_value = std::vector<double>{0.05, 0.1},
                           .min = 0.0,
                           .doc = "of ema `power`: one average per relative width; sampling uses the first"},
                          0.28));
}

std::vector<Key> stage_keys() {
  return {
      {.name = "name", .type = Type::text, .doc = "letters, digits, - and _; a lone stage is called \"train\""},
      {.name = "train",
       .type = Type::texts,
       .default_value = Texts{},
       .choices = trainable_kinds(),
       .doc = "components whose parameters move; [] is every one that has parameters. A stage that trains the encoder "
              "trains a first stage: by the data and their reconstruction, without diffusion"},
      {.name = "from",
       .type = Type::text,
       .doc = "a run's folder, or a checkpoint, whose averaged weights this stage starts from"},
      {.name = "take",
       .type = Type::texts,
       .default_value = Texts{},
       .choices = trainable_kinds(),
       .doc = "of `from`: the components that it fills; [] is every one that both have"},
      integer("steps", 10000, 1, "steps", "optimizer steps"),
      integer("batch_size", 64, 1, "samples", "samples per forward pass"),
      integer("accumulate", 1, 1, "batches", "forward passes per optimizer step; gradients are averaged"),
      choice("lr_schedule", "constant", {"constant", "linear", "cosine", "inverse-sqrt", "one-cycle"},
             "after warm-up: constant; down to 0 at the last step in a line or a cosine; by lr / sqrt(step / "
             "`lr_decay_start`) (1706.03762 Eq. 3, 2312.02696 Eq. 67); or one-cycle (1708.07120 as in "
             "torch.optim.lr_scheduler.OneCycleLR): by cosines from lr / 25 up to lr over `warmup` steps, 30 % of the "
             "stage where that is 0, and down to lr / 250000 at the last step"),
      integer("warmup", 0, 0, "steps", "linear rise of the learning rate from 0; the rise of one-cycle"),
      integer("lr_decay_start", 0, 0, "steps",
              "of lr_schedule `inverse-sqrt`: the step from which it falls; 0 is the end of warm-up"),
      number("clip_norm", 1.0, 0, {}, "largest global gradient norm; 0 does not clip"),
      choice("precision", "fp32", {"fp32", "bf16"}, "bf16 is autocast: weights and optimizer stay fp32"),
      choice(
          "ema", "warm-up", {"warm-up", "constant", "power"},
          "how the average of the weights that sampling uses forgets: by `ema_decay`, at first by the lower (1 + n) / "
          "(10 + n) after n steps (warm-up); by `ema_decay` from the first step; or by a power of the time, with the "
          "widths `ema_sigma_rel` (2312.02696, section 3)"),
      number("ema_decay", 0.9999, 0, 1, "decay of ema `warm-up` and `constant`; 0 keeps no average"),
      ema_widths(),
      integer(
          "ema_snapshot_every", 0, 0, "steps",
          "of ema `power`: steps between snapshots of its averages in RUN/ema, from which an average of another width "
          "is made afterwards; the last step has one too; 0 keeps none"),
      integer("log_every", 10, 1, "steps", "steps between rows of the results file"),
      integer("checkpoint_every", 1000, 0, "steps", "steps between checkpoints; 0 writes only the last one"),
      integer("sample_every", 0, 0, "steps", "steps between sample grids; 0 samples only at the end"),
      bounded(
          {.name = "condition_drop",
           .type = Type::number,
           .min = 0.0,
           .doc = "probability that a sample is trained with the null condition; unless given, the conditioner's own"},
          1),
  };
}

struct Later {
  std::string_view name;
  const char* what;
};
constexpr Later kLater[] = {{"sweep", "sweeps are not"},
                            {"metric", "metrics are not"},
                            {"bias_variance", "the bias-variance report is not"},
                            {"tracker", "trackers are not"}};

}  // namespace

std::span<const Role> roles() { return kRoles; }

const Factory& experiment_table() {
  static const Factory table = host_factory(
      "experiment", "[experiment]", "what the run is called and what its random numbers depend on",
      {{.name = "name", .type = Type::text, .required = true, .doc = "folder of the run in results/"},
       integer("seed", 0, 0, "", "every random number of the run is a function of it"),
       bounded(integer("loader_threads", 1, 0, "threads",
                       "threads that prepare batches; 0 prepares them in the training thread. Never changes a result"),
               64)});
  return table;
}

const Factory& samples_table() {
  static const Factory table =
      host_factory("samples", "[samples]", "the samples that a run makes at its end and every `sample_every` steps",
                   {integer("count", 64, 1, "samples", "samples in a grid"),
                    integer("columns", 8, 1, "samples",
                            "samples per row; with classes each row is one class. Captions and reconstructions are of the "
                            "dataset's first samples, over again where it has fewer"),
                    integer("seed", 0, 0, "", "seed of the samples' noise"),
                    integer("batch_size", 64, 1, "samples", "samples per forward pass; never changes a sample"),
                    choice("precision", "fp32", {"fp32", "bf16"}, "of the denoiser; bf16 is autocast"),
                    {.name = "prompts",
                     .type = Type::texts,
                     .default_value = Texts{},
                     .doc = "of a run conditioned on text: one a row, over again; [] takes the texts of the dataset's "
                            "first samples"}});
  return table;
}

const Factory& stage_table() {
  static const Factory table =
      host_factory("stage", "[[stage]]", "one phase of training; stages run in order", stage_keys());
  return table;
}

const Factory& encoder_table() {
  static const Factory table = host_factory(
      "latent", "[encoder]", "what diffusion makes of the encoder's z; the keys of the encoder itself stand beside them",
      {number("scale_factor", 0, 0, {},
              "diffusion runs in scale_factor times z; 0 measures 1 / standard deviation of z over the data when the "
              "first stage that trains the denoiser begins (2112.10752, appendix G), and is 1 for an encoder without "
              "parameters"),
       {.name = "shift_factor",
        .type = Type::number,
        .default_value = 0.0,
        .doc = "subtracted from z before that; what diffusers calls shift_factor in the autoencoders of Stable Diffusion 3 "
               "and Flux"},
       {.name = "cache",
        .type = Type::boolean,
        .default_value = false,
        .doc = "encode every sample of the data once and keep z in a file in the user's cache folder, which other runs "
               "with the same encoder and data find; samples are not augmented then"}});
  return table;
}

const Factory& sampler_table() {
  static const Factory table = host_factory(
      "sampling", "[sampler]", "the steps that every sampler takes; the keys of the sampler itself stand beside them",
      {integer("steps", 50, 1, "steps", "noise levels to visit"),
       choice(
           "spacing", "trailing",
           {"leading", "trailing", "linspace", "leading-dpm", "linspace-dpm", "lcm", "flow-match", "karras",
            "exponential", "beta", "ays", "ays-sdxl", "custom"},
           "how they are chosen: evenly in time (2305.08891, table 2); as diffusers does for its DPM-Solver, UniPC and "
           "DEIS (leading-dpm, linspace-dpm: one interval more), for its LCM or for its flow matching; evenly in "
           "sigma^(1/rho) (karras, 2206.00364 Eq. 5) or in log sigma (exponential); by quantiles of Beta(0.6, 0.6) in "
           "time (beta, 2407.12173); interpolated from Align Your Steps' optimum for Stable Diffusion 1.5 or XL (ays, "
           "ays-sdxl, 2404.14507); or as listed (custom)"),
       integer("offset", 0, 0, "steps",
               "added to each time of spacing `leading` and `leading-dpm`; Stable Diffusion uses 1"),
       positive(number("rho", 7, 0, {}, "of spacing `karras`: higher puts more steps at low noise")),
       {.name = "times",
        .type = Type::numbers,
        .default_value = std::vector<double>{},
        .doc = "spacing `custom`: the schedule's times, the noisiest first; `steps` is their number"},
       {.name = "sigmas",
        .type = Type::numbers,
        .default_value = std::vector<double>{},
        .min = 0.0,
        .doc =
            "spacing `custom`, instead of `times`: the noise levels sigma / alpha, falling; a final 0 may be left out"},
       choice(
           "final", "zero", {"zero", "lowest"},
           "where the last step ends: at sigma = 0, or at the schedule's lowest level, as Stable Diffusion 1's DDIM "
           "and "
           "PLMS (set_alpha_to_one = False) and DEIS do (final_sigmas_type = \"sigma_min\"). A list whose last level "
           "that is ends there and has one step less"),
       {.name = "clip_denoised",
        .type = Type::boolean,
        .default_value = false,
        .doc = "clip the denoised prediction to [-1, 1]: for pixels, not for latents"}});
  return table;
}

const Factory& conditioner_table() {
  static const Factory table = host_factory("conditioner", "[[conditioner]]", "one of several conditioners",
                                            {{.name = "name",
                                              .type = Type::text,
                                              .doc = "letters, digits, - and _; its parameters are kept as "
                                                     "conditioner.NAME, the conditioner's id unless given"}});
  return table;
}

const Factory& loss_table() {
  static const Factory table =
      host_factory("loss", "[[stage.loss]]", "one term of a stage's loss; a stage without any has `l2`",
                   {{.name = "name",
                     .type = Type::text,
                     .doc = "letters, digits, -, _ and .; name of the trace, the loss's id unless given"},
                    number("weight", 1.0, 0, {}, "factor of this term"),
                    integer("start", 0, 0, "steps", "first step of the stage at which the term counts")});
  return table;
}

const Factory& weights_table() {
  static const Factory table = host_factory(
      "weights", "weights", "the key of every component that has parameters",
      {{.name = "weights",
        .type = Type::text,
        .doc = "a safetensors file that the parameters start from, such as `perrin weights export` writes: its names "
               "are those that the component declares, alone or all behind one prefix"}});
  return table;
}

bool may_have_parameters(std::string_view kind) {
  return kind == "weighting" || kind == "loss" || std::ranges::count(trainable_kinds(), kind) > 0;
}

std::vector<Key> host_keys(const Factory& component) {
  std::vector<Key> keys;
  const std::pair<std::string_view, const Factory&> tables[] = {
      {"encoder", encoder_table()}, {"sampler", sampler_table()}, {"loss", loss_table()}};
  for (const auto& [kind, table] : tables)
    if (kind == component.kind) keys = table.keys;
  if (may_have_parameters(component.kind) && find_key(component.keys, "weights") == nullptr)
    keys.push_back(weights_table().keys.front());
  return keys;
}

const Catalogue& optimizers() {
  static const auto make = [](std::string id, std::string doc, std::vector<Key> keys) {
    return host_factory("optimizer", std::move(id), std::move(doc), std::move(keys));
  };
  static const Catalogue catalogue = {
      make("adamw", "decoupled weight decay (1711.05101)",
           {learning_rate(), first_decay(), second_decay(), root_eps(), decoupled(0.01), decay_all()}),
      make(
          "adafactor",
          "second moments by rows and columns (1804.04235); weights with more dimensions are matrices "
          "[first, all others]; steps are relative to the weights' size",
          {positive(number("lr", 1e-2, 0, {}, "largest relative step: min(lr, 1 / sqrt(step)) times the weights' RMS")),
           number("decay_power", 0.8, 0, {}, "the second moment decays by 1 - step^-decay_power"),
           number("eps1", 1e-30, 1e-36, {}, "added to the squared gradient"),
           number("eps2", 1e-3, 0, {}, "least RMS of weights that a step is relative to"),
           positive(number("clip", 1, 0, {}, "largest RMS of an update before it is scaled")), decoupled(0), decay_all()}),
      make("adam", "coupled weight decay (1412.6980)",
           {learning_rate(), first_decay(), second_decay(), root_eps(), coupled(), decay_all()}),
      make("lion", "the sign of the momentum (2302.06675)",
           {learning_rate(), number("beta1", 0.9, 0, 1, "decay of the momentum within a step"),
            number("beta2", 0.99, 0, 1, "decay of the momentum between steps"), decoupled(0), decay_all()}),
      make("muon",
           "orthogonalised momentum (Keller Jordan 2024; scaled to AdamW's step as in 2502.16982) for decayed weights "
           "with two dimensions or more, as matrices [first, all others]; adamw for all other parameters",
           {learning_rate(), number("momentum", 0.95, 0, 1, "decay of the momentum"), first_decay(), second_decay(),
            root_eps(), decoupled(0.01), decay_all()}),
      make("sgd", "gradient descent with momentum and coupled weight decay",
           {learning_rate(1e-2),
            number("momentum", 0.9, 0, 1, "decay of the summed gradients; 0 keeps none"),
            {.name = "nesterov",
             .type = Type::boolean,
             .default_value = false,
             .doc = "look ahead by one step of momentum"},
            coupled(), decay_all()})};
  return catalogue;
}

const char* later_table(std::string_view name) {
  for (const Later& later : kLater)
    if (later.name == name) return later.what;
  return nullptr;
}

bool is_reserved_key(std::string_view kind, std::string_view key) {
  return key == "use" || key == "sha256" || (kind == "loss" && find_key(loss_table().keys, key) != nullptr) ||
         (kind == "loss" && key == "optimizer") ||
         (kind == "conditioner" && find_key(conditioner_table().keys, key) != nullptr) ||
         (kind == "encoder" && find_key(encoder_table().keys, key) != nullptr) ||
         (kind == "sampler" && find_key(sampler_table().keys, key) != nullptr);
}

}  // namespace perrin::config
