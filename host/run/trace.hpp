// The rows that a run leaves in its results file.
#pragma once

#include <string>
#include <vector>

#include "host/config/experiment.hpp"
#include "host/run/objective.hpp"
#include "host/run/optimizer.hpp"
#include "host/store/writer.hpp"

namespace perrin::run {

inline constexpr int kBuckets = 10;  // of the schedule's time domain, equal in t, the cleanest first

// Groups: "train" holds what a rerun repeats bit for bit (losses, lr, grad_norm); "system" holds what it does not
// (seconds, images per second, memory).
std::vector<store::Group> trace_groups(const config::Experiment& experiment);

// The values of one optimizer step, over its accumulated batches. NaN where a step has no value.
class Trace {
 public:
  explicit Trace(const config::Experiment& experiment);

  void add(const Objective& objective, const Draw& draw, const perrin_time_domain& domain, int64_t accumulate);
  // One row in each group; empties the values.
  void write(store::Writer& writer, int64_t step, const Optimizer::Report& report, double seconds, int64_t samples);
  void clear();

  double loss() const { return loss_; }

 private:
  std::vector<std::string> names_;     // trace names of the terms, over all stages
  double loss_ = 0;
  std::vector<double> terms_;          // [terms]; NaN until the step has one
  std::vector<double> sum_, n_;        // [kBuckets] of the first term's unweighted values
};

// Resident memory of this process, bytes.
int64_t resident_bytes();

}  // namespace perrin::run
