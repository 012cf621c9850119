// A small catalogue with every type of key; no loader needed.
#pragma once

#include <limits>

#include "host/config/catalogue.hpp"

namespace perrin::config::test {

using Texts = std::vector<std::string>;
using Integers = std::vector<int64_t>;
using Numbers = std::vector<double>;

inline Factory simple(std::string kind, std::string id, std::vector<Key> keys = {}) {
  return {std::move(kind), std::move(id), "1.0", "for tests", "lib.so", "A", {}, std::move(keys)};
}

inline Key key(std::string name, Type type, std::optional<Value> value) {
  Key made;
  made.name = std::move(name);
  made.type = type;
  made.default_value = std::move(value);
  made.doc = "for tests";
  return made;
}

inline Factory unet() {
  Key channels = key("channels", Type::integers, std::nullopt);
  channels.required = true, channels.min = 1, channels.max = 4096;
  Key dropout = key("dropout", Type::number, 0.0);
  dropout.min = 0, dropout.max = 1, dropout.max_exclusive = true;
  Key down = key("downsample", Type::text, std::string("conv"));
  down.choices = {"conv", "avg", "max", "nearest"}, down.alias = "down";
  Key old = key("heads", Type::integer, int64_t{1});
  old.deprecated = true, old.doc = "use \"head_dim\"";
  Key blocks = key("blocks", Type::texts, Texts{"res"});
  blocks.choices = {"res", "attn"};
  Key time = key("warm", Type::number, 0.5);
  time.min = 0, time.min_exclusive = true, time.unit = "seconds";
  Factory made = simple("denoiser", "unet",
                        {channels, dropout, down, old, blocks, time, key("attention", Type::boolean, true),
                         key("scales", Type::numbers, Numbers{1.0, 0.5}), key("note", Type::text, std::nullopt)});
  made.tier = "B";
  return made;
}

inline Catalogue catalogue() {
  Key length = key("T", Type::integer, int64_t{1000});
  length.min = 1, length.max = 100000;
  Factory linear = simple("schedule", "linear", {length, key("beta_end", Type::number, 0.02)});
  linear.aliases = {"sqrt_linear"};
  Key hidden = key("hidden", Type::integers, Integers{64, 64});
  return {simple("dataset", "fashion-mnist", {key("path", Type::text, std::string())}),
          simple("dataset", "gaussian-mixture"),
          simple("encoder", "identity"),
          simple("encoder", "autoencoder-kl", {key("channels", Type::integers, Integers{32})}),
          unet(),
          simple("denoiser", "mlp", {hidden, key("attention", Type::boolean, false)}),
          simple("conditioner", "class-label"),
          linear,
          simple("schedule", "cosine", {length}),
          simple("parameterization", "epsilon"),
          simple("parameterization", "v"),
          simple("weighting", "uniform"),
          simple("weighting", "min-snr", {key("gamma", Type::number, 5.0)}),
          simple("timesteps", "uniform"),
          simple("sampler", "ddim", {key("eta", Type::number, 0.0)}),
          simple("sampler", "euler", {key("s_max", Type::number, std::numeric_limits<double>::infinity())}),
          simple("guidance", "none"),
          simple("guidance", "classifier-free", {key("scale", Type::number, 3.0)}),
          simple("loss", "l2"),
          simple("loss", "acme.huber", {key("delta", Type::number, 1.0)})};
}

// Lines 1 to 8 of a valid file; tests append theirs.
inline constexpr const char* kMinimal =
    "experiment.name = \"x\"\n"
    "dataset.use = \"fashion-mnist\"\n"
    "schedule.use = \"linear\"\n"
    "[denoiser]\n"
    "use = \"unet\"\n"
    "channels = [32, 64]\n";

}  // namespace perrin::config::test
