#include "host/record/trace.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <span>

#include "host/config/text.hpp"
#include "host/model/first_stage.hpp"
#include "host/services/status.hpp"
#include "host/store/clock.hpp"

namespace perrin::record {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A component's own numbers; `owner` stands before their names.
std::vector<store::Column> traced(const services::Component& component, const std::string& owner) {
  std::vector<store::Column> columns;
  if (!component.has<&perrin_trace::names>()) return columns;
  uint32_t n = 0;
  const perrin_trace_value* values = nullptr;
  component.invoke<&perrin_trace::names>(&n, &values);
  for (uint32_t i = 0; i < n; ++i)
    columns.push_back({owner + "_" + std::string(services::view(values[i].name)), false,
                       std::string(services::view(values[i].unit)), std::string(services::view(values[i].doc))});
  return columns;
}

// The model's components beside losses that may have numbers of their own.
std::vector<std::pair<std::string, const services::Component*>> owners(const model::Model& model) {
  return {{"encoder", &model.encoder}, {"extractor", &model.extractor}, {"denoiser", &model.denoiser}};
}

// A column and what writes it: two things under one name would be one curve.
struct Owned {
  store::Column column;
  std::string writer;      // "term l2", "the trace of encoder": the same in each stage
  config::Location place;  // in the experiment
};

// What a term writes.
std::vector<Owned> term_columns(const train::LossTerm& term, const config::Location& place) {
  std::vector<Owned> all = {
      {{"loss_" + term.name, false, "", "term " + term.name + ", weighted"}, "term " + term.name, place}};
  if (train::is_adversary(term.component))
    all.push_back(
        {{"loss_" + term.name + "_opponent", false, "", "what the second player of " + term.name + " minimises"},
         "the second player of term " + term.name,
         place});
  for (const store::Column& column : traced(term.component, term.name))
    all.push_back({column, "the numbers of term " + term.name, place});
  return all;
}

// What follows loss, lr and grad_norm in a row, as often as it is written.
std::vector<Owned> written(const model::Model& model, const train::Losses& losses) {
  std::vector<Owned> all;
  for (size_t s = 0; s < losses.stages.size(); ++s)
    for (size_t i = 0; i < losses.stages[s].size(); ++i)
      for (Owned& owned : term_columns(losses.stages[s][i], model.experiment.stages[s].losses[i].component.location))
        all.push_back(std::move(owned));
  for (const perrin_encoder_output& output :
       model.encoder ? encoder_outputs(model) : std::span<const perrin_encoder_output>())
    if (output.role == PERRIN_OUTPUT_TERM)
      all.push_back({{"loss_encoder_" + std::string(services::view(output.name)), false, "", "the encoder's own term"},
                     "the encoder's term",
                     model.experiment.encoder.location});
  for (const auto& [owner, component] : owners(model))
    for (const store::Column& column : traced(*component, owner))
      all.push_back({column, "the numbers of the " + owner, model.experiment.component(owner)->location});
  return all;
}

// A term of several stages has one column.
std::vector<store::Column> own_columns(const model::Model& model, const train::Losses& losses) {
  std::vector<store::Column> all;
  for (Owned& owned : written(model, losses)) {
    const auto same = [&](const store::Column& other) { return other.name == owned.column.name; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(owned.column));
  }
  return all;
}

// The columns that every row has.
std::vector<store::Column> first_columns() {
  return {{"loss", false, "", "sum of the stage's terms"},
          {"lr", false, "", "learning rate"},
          {"grad_norm", false, "", "global gradient norm before clipping"}};
}

std::vector<store::Column> buckets(const model::Model& model) {
  std::vector<store::Column> all;
  for (int i = 0; model.diffuses() && i < kBuckets; ++i)
    all.push_back({"loss_t" + std::to_string(i), false, "",
                   "unweighted first term, samples whose t lies in tenth " + std::to_string(i) +
                       " of the schedule; NaN: none in this step"});
  return all;
}

}  // namespace

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

void check_columns(const model::Model& model, const train::Losses& losses, const config::Loaded& loaded) {
  std::map<std::string, std::string> writers = {{"step", "every row"}, {"wall_time", "every row"}};
  for (const store::Column& column : first_columns()) writers[column.name] = "every row";
  for (const store::Column& column : buckets(model)) writers[column.name] = "the loss by time";
  for (const Owned& owned : written(model, losses)) {
    const auto [known, first] = writers.emplace(owned.column.name, owned.writer);
    if (!first && known->second != owned.writer)
      throw loaded.error(owned.place,
                         "the results' column " + config::quote(owned.column.name) + " would be written by " +
                             owned.writer + " and by " + known->second,
                         "give the loss another name = \"…\"");
  }
}

std::vector<store::Group> trace_groups(const model::Model& model, const train::Losses& losses) {
  store::Group train{"train", first_columns()};
  for (const auto& more : {own_columns(model, losses), buckets(model)})
    train.columns.insert(train.columns.end(), more.begin(), more.end());
  return {train,
          {"system",
           {{"step_time", false, "s", "wall time per optimizer step since the last row"},
            {"throughput", false, "1/s", "samples per second since the last row"},
            {"memory", true, "B", "resident memory of the process"}}}};
}

store::Group summary_group(const config::Experiment& experiment) {
  store::Group group{"summary",
                     {{"seconds", false, "s", "from the start of this process's part of the run to its end"}}};
  for (const config::Stage& stage : experiment.stages)
    group.columns.push_back({"loss_" + stage.name, false, "", "the loss at the last step of stage " + stage.name});
  return group;
}

std::vector<double> summary_row(const config::Experiment& experiment,
                                const std::map<std::string, std::pair<double, double>>& losses, double seconds) {
  std::vector<double> row = {seconds};
  for (const config::Stage& stage : experiment.stages) {
    const auto found = losses.find(stage.name);
    row.push_back(found == losses.end() ? kNan : found->second.second);
  }
  return row;
}

Trace::Trace(const model::Model& model, const train::Losses& losses) : model_(model), losses_(losses) {
  for (const store::Column& column : own_columns(model, losses)) index_.emplace(column.name, index_.size());
  clear();
}

void Trace::clear() {
  loss_ = 0;
  values_.assign(index_.size(), kNan);
  sum_.assign(kBuckets, 0);
  n_.assign(kBuckets, 0);
}

double& Trace::value(const std::string& column) { return values_.at(index_.at(column)); }

void Trace::add(const train::Objective& objective, const train::Draw& draw, int64_t accumulate) {
  const double share = 1.0 / static_cast<double>(accumulate);
  for (const train::TermValue& term : objective.terms) {
    double& sum = value("loss_" + term.name);
    sum = (std::isnan(sum) ? 0 : sum) + term.value * share;
    loss_ += term.value * share;
  }
  if (draw.times.empty()) return;
  const perrin_time_domain& domain = model_.times.domain();
  const std::vector<float>& values = objective.terms.front().per_sample;
  const double width = domain.t_max - domain.t_min + (domain.steps > 0 ? 1 : 0);
  for (size_t b = 0; b < values.size(); ++b) {
    const auto bucket = static_cast<size_t>((draw.times[b].t - domain.t_min) / width * kBuckets);
    const size_t i = std::min<size_t>(bucket, kBuckets - 1);
    sum_[i] += values[b];
    n_[i] += 1;
  }
}

void Trace::add_opponents(const std::map<std::string, double>& losses) {
  for (const auto& [term, loss] : losses) value("loss_" + term + "_opponent") = loss;
}

void Trace::observe(size_t stage) {
  const auto take = [&](const services::Component& component, const std::string& owner) {
    const std::vector<store::Column> columns = traced(component, owner);
    if (columns.empty()) return;
    std::vector<double> values(columns.size(), kNan);
    component.invoke<&perrin_trace::values>(values.data());
    for (size_t i = 0; i < columns.size(); ++i) value(columns[i].name) = values[i];
  };
  for (const train::LossTerm& term : losses_.stages[stage]) take(term.component, term.name);
  for (const auto& [owner, component] : owners(model_)) take(*component, owner);
}

void Trace::write(Sink& sink, int64_t step, const train::Optimizer::Report& report, double seconds, int64_t samples) {
  std::vector<double> row = {loss_, report.lr, report.grad_norm};
  row.insert(row.end(), values_.begin(), values_.end());
  for (int i = 0; model_.diffuses() && i < kBuckets; ++i) row.push_back(n_[i] > 0 ? sum_[i] / n_[i] : kNan);
  const double time = store::unix_seconds();
  sink.row("train", step, time, row);
  const double rate = seconds > 0 ? static_cast<double>(samples) / seconds : kNan;
  sink.row("system", step, time, std::vector<double>{seconds, rate, static_cast<double>(resident_bytes())});
}

}  // namespace perrin::record
