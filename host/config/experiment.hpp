// An experiment after load: typed, complete, immutable. Every default is filled in.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/catalogue.hpp"
#include "host/config/source.hpp"

namespace perrin::config {

// One named component with its own part of the file.
struct Component {
  std::string kind, use;                  // use: the canonical id; empty: the experiment has none
  std::string name;                       // of a loss: its trace; of a [[conditioner]] "conditioner.<name>"; else the kind
  std::map<std::string, Value> values;    // keys of the schema; only an optional key without default may be absent
  std::map<std::string, Location> where;  // of the values that the file or --set gives
  Location location;                      // of the table; line 0 when the file has none
  std::string sha256;                     // the library that the file pins; empty: any
  std::string weights;                    // the host's key of that name; empty: none, or the schema has its own
  std::shared_ptr<const Factory> factory;

  const Value* find(std::string_view key) const;

  // The value of a key that the schema declares with this type and a default; perrin::Error otherwise.
  template <class T>
  const T& get(std::string_view key) const {
    const Value* value = find(key);
    const T* held = value == nullptr ? nullptr : std::get_if<T>(value);
    if (held == nullptr) missing(key);
    return *held;
  }

  // The file that the component's parameters start from, be `weights` the host's key or the schema's; empty: none.
  std::string weights_file() const;

  // Where a complaint about `key` belongs: the value, else the table.
  const Location& place(std::string_view key) const;

 private:
  [[noreturn]] void missing(std::string_view key) const;
};

struct Loss {
  Component component;
  double weight = 1;
  int64_t start = 0;  // step of the stage
  std::optional<Component> optimizer;  // of an adversary's own parameters; absent: as the stage's
};

struct Stage {
  std::string name;
  std::vector<std::string> train;  // kinds; empty: every component that has parameters
  int64_t steps = 0, batch_size = 0, accumulate = 1;
  Component optimizer;             // kind "optimizer": the host's, its keys by get<double>("lr")
  std::string lr_schedule;
  int64_t warmup = 0;                                             // steps
  double clip_norm = 0;                                           // 0: off
  std::string precision;                                          // fp32 | bf16
  double ema_decay = 0;                                           // 0: off
  int64_t log_every = 1, checkpoint_every = 0, sample_every = 0;  // steps; 0: only at the end
  std::optional<double> condition_drop;                           // absent: each conditioner's own
  std::string from;                                               // run or checkpoint to start from; empty: none
  std::vector<std::string> take;                                  // kinds that `from` fills; empty: all that both have
  std::vector<Loss> losses;                                       // at least one
  Component table;                                                // the same values under their keys, for places
};

// The host's keys of [encoder].
struct Latent {
  double scale_factor = 0;  // 0: measured
  double shift_factor = 0;
  bool cache = false;
  Component table;          // the same values under their keys, for places
};

// The host's keys of [sampler].
struct Sampling {
  int64_t steps = 0;
  std::string spacing;  // a choice of host_tables.cpp
  int64_t offset = 0;
  double rho = 0;                     // of karras
  std::vector<double> times, sigmas;  // of custom: the levels as times, or as sigma / alpha; one of them is empty
  bool to_lowest = false;             // the last step ends at the schedule's lowest level, not at sigma = 0
  bool clip_denoised = false;
  Component table;                    // the same values under their keys, for places
};

struct Samples {
  int64_t count = 0, columns = 0;
  uint64_t seed = 0;
  int64_t batch_size = 0;
  std::string precision;             // fp32 | bf16
  std::vector<std::string> prompts;  // one a row; empty: texts of the dataset
  Component table;
};

struct Experiment {
  std::string name;
  uint64_t seed = 0;
  int loader_threads = 0;
  // With an extractor those from encoder on are absent: `use` is empty.
  Component dataset, extractor, encoder, denoiser, schedule, parameterization, weighting, timesteps, sampler, guidance;
  std::vector<Component> conditioners;
  std::vector<Stage> stages;  // at least one
  Latent latent;
  Sampling sampling;
  Samples samples;

  // The component of a kind that the experiment has one of; null when absent and for other kinds.
  const Component* component(std::string_view kind) const;

  // All of them, losses too, in the order of the resolved file.
  std::vector<const Component*> components() const;
};

}  // namespace perrin::config
