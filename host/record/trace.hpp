// The rows that a run leaves in its results file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/record/sink.hpp"
#include "host/store/layout.hpp"
#include "host/train/losses.hpp"
#include "host/train/objective/draw.hpp"
#include "host/train/optimizer.hpp"

namespace perrin::record {

inline constexpr int kBuckets = 10;  // of the schedule's time domain, equal in t, the cleanest first

// Groups: "train" holds what a rerun repeats bit for bit (losses, lr, grad_norm); "system" holds what it does not
// (seconds, images per second, memory).
std::vector<store::Group> trace_groups(const model::Model& model, const train::Losses& losses);

// The group "summary", one row for each process that trained the run, and that row. `losses`: first and last by stage;
// NaN where this process did not train a stage.
store::Group summary_group(const config::Experiment& experiment);
std::vector<double> summary_row(const config::Experiment& experiment,
                                const std::map<std::string, std::pair<double, double>>& losses, double seconds);

// Throws Diagnostics, at the loss or component, where two things would write one column.
void check_columns(const model::Model& model, const train::Losses& losses, const config::Loaded& loaded);

// The values of one optimizer step, over its accumulated batches. NaN where a step has no value.
class Trace {
 public:
  // Borrows both.
  Trace(const model::Model& model, const train::Losses& losses);

  void add(const train::Objective& objective, const train::Draw& draw, int64_t accumulate);
  // The losses of second players, by term.
  void add_opponents(const std::map<std::string, double>& losses);
  // The numbers that the components of a stage have of their latest call (perrin.trace/1).
  void observe(size_t stage);
  // One row in each group; empties the values.
  void write(Sink& sink, int64_t step, const train::Optimizer::Report& report, double seconds, int64_t samples);
  void clear();

  double loss() const { return loss_; }

 private:
  double& value(const std::string& column);

  const model::Model& model_;
  const train::Losses& losses_;
  std::map<std::string, size_t> index_;  // in values_: of the terms, their opponents and the components' own numbers
  double loss_ = 0;
  std::vector<double> values_;   // NaN until the step has one
  std::vector<double> sum_, n_;  // [kBuckets] of the first term's unweighted values
};

// Resident memory of this process, bytes.
int64_t resident_bytes();

}  // namespace perrin::record
