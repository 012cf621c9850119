#include "host/train/optimizers/rule.hpp"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>

#include "host/base/error.hpp"

namespace perrin::train {

at::Tensor slice(const at::Tensor& flat, int64_t begin, int64_t end) {
  return flat.defined() ? flat.narrow(0, begin, end - begin) : flat;
}

bool decays(const config::Component& keys, bool own) { return own || keys.get<bool>("decay_all"); }

FlatRule::FlatRule(model::ParameterSet& parameters, const config::Component& keys, std::vector<std::string> moments)
    : parameters_(parameters), keys_(keys), names_(std::move(moments)) {
  const std::vector<model::Range> ranges = parameters.trained_ranges();
  if (ranges.empty()) return;
  int64_t end = 0;
  begin_ = ranges.front().begin;
  for (const model::Range& r : ranges) begin_ = std::min(begin_, r.begin), end = std::max(end, r.end);
  for (size_t i = 0; i < names_.size(); ++i)
    moments_.push_back(at::zeros_like(slice(parameters.values(), begin_, end)));
}

void FlatRule::update(const Update& update) {
  for (const model::Range& r : parameters_.trained_ranges()) {
    const auto cut = [&](const at::Tensor& flat) { return slice(flat, r.begin, r.end); };
    Piece piece{cut(parameters_.values()), cut(parameters_.gradients()), cut(update.ema), {}, decays(keys_, r.decay)};
    for (const at::Tensor& moment : moments_) piece.moments.push_back(slice(moment, r.begin - begin_, r.end - begin_));
    step(update, piece);
  }
}

std::vector<StateTensor> FlatRule::state() const {
  std::vector<StateTensor> all;
  for (const model::Parameter* p : trained_parameters(parameters_))
    for (size_t i = 0; i < names_.size(); ++i)
      all.push_back({keys_.use + "." + names_[i] + "." + p->name, p->sizes,
                     slice(moments_[i], p->offset - begin_, p->offset - begin_ + p->count)});
  return all;
}

std::vector<const model::Parameter*> trained_parameters(const model::ParameterSet& parameters) {
  const std::vector<model::Range> ranges = parameters.trained_ranges();
  std::vector<const model::Parameter*> all;
  for (const model::ParameterGroup& group : parameters.groups())
    for (const model::Parameter& p : group.parameters)
      for (const model::Range& r : ranges)
        if (p.offset >= r.begin && p.offset < r.end) all.push_back(&p);
  return all;
}

std::vector<int64_t> matrix_sizes(const model::Parameter& p) {
  const int64_t rows = p.sizes.empty() ? 1 : p.sizes[0];
  return {rows, p.count / rows};
}

std::unique_ptr<Rule> make_rule(model::ParameterSet& parameters, const config::Component& keys) {
  static const std::map<std::string, MakeRule*> rules = {{"adafactor", make_adafactor}, {"adam", make_adam},
                                                         {"adamw", make_adam},          {"lion", make_lion},
                                                         {"muon", make_muon},           {"sgd", make_sgd}};
  const auto found = rules.find(keys.use);
  if (found == rules.end()) throw Error("there is no optimizer \"" + keys.use + "\"");
  return found->second(parameters, keys);
}

}  // namespace perrin::train
