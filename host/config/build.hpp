// Tree -> components -> experiment. Internal to host/config.
#pragma once

#include "host/config/diagnostics.hpp"
#include "host/config/experiment.hpp"
#include "host/config/node.hpp"

namespace perrin::config {

// A stage whose values may still be missing; the experiment is made of it once nothing is wrong.
struct StageDraft {
  Component table;
  Component optimizer;
  struct Term {
    Component host;  // weight, start
    Component loss;
    std::optional<Component> optimizer;  // absent: the stage's
  };
  std::vector<Term> losses;
};

struct Draft {
  Component experiment, samples;
  Component latent, sampling;                                // the host's keys of [encoder] and [sampler]
  std::map<std::string, Component, std::less<>> components;  // by kind; absent: not given or faulty
  std::vector<Component> conditioners;
  std::vector<StageDraft> stages;
};

// Reads every table and reports every fault to the log.
Draft read_draft(const Table& root, const std::string& file, const Catalogue& catalogue, Log& log);

// Complains about names that a file may not hold at its top.
void check_names(const Table& root, Log& log);

// Rules between components that need no plugin. Values that a fault left out are skipped.
void check_rules(const Draft& draft, Log& log);

// Requires a draft without faults.
Experiment finish(const Draft& draft);

}  // namespace perrin::config
