#include "host/train/stage.hpp"

#include <algorithm>
#include <set>

#include "host/kernels/random.hpp"

namespace perrin::train {
namespace {

// Probability of conditioner i's null condition: the stage's own, else the conditioner's.
double drop_probability(const model::Model& model, const config::Stage& stage, size_t i) {
  if (stage.condition_drop) return *stage.condition_drop;
  double p = 0;
  model.conditioners[i].invoke<&perrin_conditioner::drop_probability>(&p);
  return p;
}

}  // namespace

Task task_of(const model::Model& model, const config::Stage& stage) {
  if (model.extractor) return Task::extraction;
  return std::ranges::count(stage.train, "encoder") > 0 ? Task::first_stage : Task::diffusion;
}

perrin_call training_call(const model::Model& model, const StageStep& at, const std::vector<uint64_t>& positions) {
  return {sizeof(perrin_call),
          1,
          model.experiment.seed,
          static_cast<uint32_t>(at.step),
          static_cast<uint32_t>(positions.size()),
          positions.data(),
          static_cast<uint32_t>(at.stage_step),
          static_cast<uint32_t>(at.stage.steps)};
}

std::vector<std::string> trained_kinds(const model::Model& model, const config::Loaded& loaded,
                                       const config::Stage& stage) {
  const auto asked = [&](const std::string& kind) {
    return stage.train.empty() || std::find(stage.train.begin(), stage.train.end(), kind) != stage.train.end();
  };
  std::vector<std::string> kinds;
  std::set<std::string> found;
  for (const model::ParameterGroup& group : model.parameters.groups()) {
    const std::string kind = group.kind.substr(0, group.kind.find('.'));
    // What a weighting learns is how hard the denoiser finds each noise level.
    const std::string leader = kind == "weighting" ? "denoiser" : kind;
    if (kind == "loss" || group.count() == 0 || !asked(leader)) continue;
    kinds.push_back(group.kind);
    found.insert(kind);
  }
  for (const std::string& kind : stage.train)
    if (!found.contains(kind))
      throw loaded.error(stage.table.place("train"), "the " + kind + " has no parameters to train",
                         "take it out of `train`");
  if (kinds.empty()) throw loaded.error(stage.table.location, "the stage trains nothing: no component has parameters");
  return kinds;
}

model::Drops draw_drops(const model::Model& model, const std::vector<uint64_t>& positions, const config::Stage& stage) {
  model::Drops drops;
  const random::Stream stream{model.experiment.seed, PERRIN_PURPOSE_DROP, 0};
  for (size_t i = 0; i < model.conditioners.size(); ++i) {
    std::vector<uint8_t>& drop = drops.emplace_back(positions.size());
    const double probability = drop_probability(model, stage, i);
    for (size_t b = 0; b < positions.size(); ++b) {
      double u = 1;
      random::uniform(stream, positions[b], stage.condition_drop ? 0 : i, std::span<double>(&u, 1));
      drop[b] = u <= probability;
    }
  }
  return drops;
}

}  // namespace perrin::train
