#include "host/run/trace.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>

namespace perrin::run {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> term_names(const config::Experiment& experiment) {
  std::vector<std::string> names;
  for (const config::Stage& stage : experiment.stages)
    for (const config::Loss& loss : stage.losses)
      if (std::find(names.begin(), names.end(), loss.component.name) == names.end()) names.push_back(loss.component.name);
  return names;
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::vector<store::Group> trace_groups(const config::Experiment& experiment) {
  store::Group train{"train",
                     {{"loss", false, "", "sum of the stage's terms"},
                      {"lr", false, "", "learning rate"},
                      {"grad_norm", false, "", "global gradient norm before clipping"}}};
  for (const std::string& name : term_names(experiment))
    train.columns.push_back({"loss_" + name, false, "", "term " + name + ", weighted"});
  for (int i = 0; i < kBuckets; ++i) {
    train.columns.push_back({"loss_t" + std::to_string(i), false, "",
                             "unweighted first term, samples whose t lies in tenth " + std::to_string(i) +
                                 " of the schedule; NaN: none in this step"});
  }
  return {train,
          {"system",
           {{"step_time", false, "s", "wall time per optimizer step since the last row"},
            {"throughput", false, "1/s", "samples per second since the last row"},
            {"memory", true, "B", "resident memory of the process"}}}};
}

Trace::Trace(const config::Experiment& experiment) : names_(term_names(experiment)) { clear(); }

void Trace::clear() {
  loss_ = 0;
  terms_.assign(names_.size(), kNan);
  sum_.assign(kBuckets, 0);
  n_.assign(kBuckets, 0);
}

void Trace::add(const Objective& objective, const Draw& draw, const perrin_time_domain& domain, int64_t accumulate) {
  const double share = 1.0 / static_cast<double>(accumulate);
  for (const TermValue& term : objective.terms) {
    double& value = terms_[static_cast<size_t>(std::find(names_.begin(), names_.end(), term.name) - names_.begin())];
    value = (std::isnan(value) ? 0 : value) + term.value * share;
    loss_ += term.value * share;
  }
  const std::vector<float>& values = objective.terms.front().per_sample;
  const double width = domain.t_max - domain.t_min + (domain.steps > 0 ? 1 : 0);
  for (size_t b = 0; b < values.size(); ++b) {
    const auto bucket = static_cast<size_t>((draw.times[b].t - domain.t_min) / width * kBuckets);
    const size_t i = std::min<size_t>(bucket, kBuckets - 1);
    sum_[i] += values[b];
    n_[i] += 1;
  }
}

void Trace::write(store::Writer& writer, int64_t step, const Optimizer::Report& report, double seconds,
                  int64_t samples) {
  std::vector<double> row = {loss_, report.lr, report.grad_norm};
  row.insert(row.end(), terms_.begin(), terms_.end());
  for (int i = 0; i < kBuckets; ++i) row.push_back(n_[i] > 0 ? sum_[i] / n_[i] : kNan);
  const double time = now();
  writer.append("train", step, time, row);
  const double rate = seconds > 0 ? static_cast<double>(samples) / seconds : kNan;
  writer.append("system", step, time, std::vector<double>{seconds, rate, static_cast<double>(resident_bytes())});
}

}  // namespace perrin::run
