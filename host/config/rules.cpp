// Rules between components and keys that need no plugin; each says what, why and what to do.
#include <algorithm>
#include <set>

#include "host/config/build.hpp"
#include "host/config/host_tables.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

template <class T>
const T* value(const Component& component, std::string_view key) {
  const Value* found = component.find(key);
  return found ? std::get_if<T>(found) : nullptr;
}

bool is_name(std::string_view text, std::string_view extra) {
  auto fits = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           extra.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// results/<name>/ must be one plain folder on every file system.
void experiment_name(const Component& experiment, Log& log) {
  const auto* name = value<std::string>(experiment, "name");
  if (name == nullptr) return;
  const bool good = is_name(*name, "-_.+ ") && name->size() <= 100 && !name->starts_with('.') &&
                    !name->starts_with('-') && !name->starts_with(' ') && !name->ends_with(' ');
  if (!good)
    log.error(experiment.place("name"), quote(*name) + " cannot name a folder of results",
              "1 to 100 letters, digits, space and - _ . +, beginning with a letter, digit, _ or +");
}

void stage_names(const std::vector<StageDraft>& stages, Log& log) {
  std::set<std::string> seen;
  for (size_t i = 0; i < stages.size(); ++i) {
    const Component& table = stages[i].table;
    const auto* name = value<std::string>(table, "name");
    if (name == nullptr) {
      if (stages.size() > 1 && !table.where.contains("name"))
        log.error(table.location,
                  "stage " + std::to_string(i + 1) + " of " + std::to_string(stages.size()) + " has no name",
                  "with several stages each needs name = \"…\": traces, checkpoints and --set use it");
    } else if (!is_name(*name, "-_")) {
      log.error(table.place("name"), quote(*name) + " cannot name a stage", "letters, digits, - and _");
    } else if (!seen.insert(*name).second) {
      log.error(table.place("name"), "two stages are called " + quote(*name),
                "traces and checkpoints are kept under the name");
    }
  }
}

void trained_parts(const Draft& draft, const Component& stage, Log& log) {
  const auto* train = value<std::vector<std::string>>(stage, "train");
  if (train == nullptr) return;
  std::set<std::string> seen;
  for (const std::string& part : *train) {
    if (!seen.insert(part).second) log.error(stage.place("train"), "\"train\" names " + quote(part) + " twice");
    if (part == "conditioner" ? draft.conditioners.empty() : !draft.components.contains(part))
      log.error(stage.place("train"), "\"train\" names the " + part + ", and the experiment has none",
                "add [" + part + "] or leave it out of \"train\"");
  }
}

void stage_numbers(const Draft& draft, const Component& stage, Log& log) {
  const auto *steps = value<int64_t>(stage, "steps"), *warmup = value<int64_t>(stage, "warmup");
  if (steps && warmup && *warmup > *steps)
    log.error(
        stage.place("warmup"),
        "\"warmup\" is longer than the stage: " + std::to_string(*warmup) + " of " + std::to_string(*steps) + " steps",
        "the learning rate would never reach \"lr\"");
  const auto* lr_schedule = value<std::string>(stage, "lr_schedule");
  const auto* decay_start = value<int64_t>(stage, "lr_decay_start");
  if (lr_schedule && decay_start && *decay_start > 0 && *lr_schedule != "inverse-sqrt")
    log.error(stage.place("lr_decay_start"),
              "\"lr_decay_start\" is set, and lr_schedule = " + quote(*lr_schedule) + " does not read it",
              "set lr_schedule = \"inverse-sqrt\", or lr_decay_start = 0");
  const auto* drop = value<double>(stage, "condition_drop");
  if (drop && *drop > 0 && stage.where.contains("condition_drop") && draft.conditioners.empty())
    log.error(stage.place("condition_drop"), "\"condition_drop\" is set, and the experiment has no conditioner",
              "add [conditioner], or remove \"condition_drop\"");
}

void first_stage(const Component& stage, Log& log) {
  const auto* train = value<std::vector<std::string>>(stage, "train");
  const auto names = [&](std::string_view part) { return train && std::count(train->begin(), train->end(), part) > 0; };
  if (names("encoder") && (names("denoiser") || names("conditioner")))
    log.error(stage.place("train"), "one stage trains the encoder and what works in its latent space",
              "write two stages, the first with train = [\"encoder\"]");
  const auto* take = value<std::vector<std::string>>(stage, "take");
  if (take && !take->empty() && stage.find("from") == nullptr)
    log.error(stage.place("take"), "\"take\" is set without \"from\"", "name the run to take from, or remove it");
}

void averages(const Component& stage, Log& log) {
  const auto* ema = value<std::string>(stage, "ema");
  const auto* every = value<int64_t>(stage, "ema_snapshot_every");
  const auto* widths = value<std::vector<double>>(stage, "ema_sigma_rel");
  if (ema && every && *ema != "power" && *every > 0)
    log.error(stage.place("ema_snapshot_every"),
              "\"ema_snapshot_every\" is set, and ema = " + quote(*ema) + " keeps no snapshots",
              "set ema = \"power\", or ema_snapshot_every = 0");
  if (widths && widths->empty())
    log.error(stage.place("ema_sigma_rel"), "\"ema_sigma_rel\" names no width",
              "give one or more, such as [0.05, 0.1]");
  if (widths && std::set<double>(widths->begin(), widths->end()).size() < widths->size())
    log.error(stage.place("ema_sigma_rel"), "\"ema_sigma_rel\" names a width twice");
}

// Parameters are kept by these names.
void conditioner_names(const std::vector<Component>& conditioners, Log& log) {
  std::set<std::string> seen;
  for (const Component& part : conditioners) {
    if (part.name == part.kind) continue;  // [conditioner], alone
    const std::string name = part.name.substr(part.kind.size() + 1);
    if (!is_name(name, "-_"))
      log.error(part.location, quote(name) + " cannot name a conditioner", "letters, digits, - and _");
    if (!seen.insert(name).second)
      log.error(part.location, "two conditioners are called " + quote(name),
                "give each its own name = \"…\": their parameters are kept under it");
  }
}

void loss_terms(const StageDraft& stage, Log& log) {
  std::set<std::string> seen;
  bool any = stage.losses.empty();
  const auto* steps = value<int64_t>(stage.table, "steps");
  for (const auto& [host, loss, optimizer] : stage.losses) {
    if (!is_name(loss.name, "-_."))
      log.error(host.place("name"), quote(loss.name) + " cannot name a loss", "letters, digits, - _ and .");
    if (!seen.insert(loss.name).second)
      log.error(host.place("name"), "two losses of a stage are called " + quote(loss.name),
                "give each its own name = \"…\": their traces are kept under it");
    const auto* start = value<int64_t>(host, "start");
    if (start && steps && *start >= *steps)
      log.error(host.place("start"),
                "\"start\" is behind the stage's end: step " + std::to_string(*start) + " of " + std::to_string(*steps),
                "the term would never count");
    const auto* weight = value<double>(host, "weight");
    any = any || weight == nullptr || *weight > 0;
  }
  if (!any) log.error(stage.table.location, "every loss of this stage has weight 0", "nothing would be trained");
}

}  // namespace

void check_rules(const Draft& draft, Log& log) {
  experiment_name(draft.experiment, log);
  stage_names(draft.stages, log);
  conditioner_names(draft.conditioners, log);
  for (const StageDraft& stage : draft.stages) {
    trained_parts(draft, stage.table, log);
    stage_numbers(draft, stage.table, log);
    first_stage(stage.table, log);
    averages(stage.table, log);
    loss_terms(stage, log);
  }
}

}  // namespace perrin::config
