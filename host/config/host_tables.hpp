// The tables that the host itself reads, in the same Key terms as plugins' schemas: checked, resolved and documented
// from this one place.
#pragma once

#include <span>
#include <string_view>

#include "host/config/catalogue.hpp"

namespace perrin::config {

// A component of an experiment: the table [kind]. Of conditioners there may be several: [[conditioner]].
struct Role {
  std::string_view kind;
  std::string_view default_use;  // id when the file has no table or no `use`; empty: none
  bool required = false;
  bool trainable = false;  // may stand in a stage's `train`
  std::string_view doc;
};
std::span<const Role> roles();  // in the order of documents and resolved files

// `id` of the factories below is the table's spelling: "[experiment]", "[[stage]]", ...
const Factory& experiment_table();
const Factory& samples_table();
const Factory& stage_table();
const Factory& encoder_table();      // the host's keys of [encoder], beside those of the encoder itself
const Factory& sampler_table();      // the same of [sampler]
const Factory& conditioner_table();  // the same of a [[conditioner]]
const Factory& loss_table();         // the same of a [[stage.loss]]
const Factory& weights_table();      // the same of every kind that may have parameters, unless a schema has the key itself
// All that the host reads in the table of this component, beside its own keys.
std::vector<Key> host_keys(const Factory& component);
const Catalogue& optimizers();

inline constexpr std::string_view kDefaultLoss = "l2";
inline constexpr std::string_view kDefaultOptimizer = "adamw";
inline constexpr std::string_view kDefaultStage = "train";

// Tables of the design that this version does not read yet; null for other names.
const char* later_table(std::string_view name);

// May components of this kind have parameters?
bool may_have_parameters(std::string_view kind);

// Keys that no plugin may declare for `kind`, since the host reads them in its table.
bool is_reserved_key(std::string_view kind, std::string_view key);

}  // namespace perrin::config
