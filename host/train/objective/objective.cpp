#include "host/train/objective/objective.hpp"

#include <perrin/kind/timesteps.h>

#include "host/base/error.hpp"
#include "host/train/objective/diffusion.hpp"
#include "host/train/objective/extraction.hpp"
#include "host/train/objective/first_stage.hpp"

namespace perrin::train {

Objective objective(model::Model& model, const data::Batch& batch, std::vector<LossTerm>& terms, const StageStep& at,
                    Draw* drawn) {
  Draw local;
  const Task task = task_of(model, at.stage);
  Objective result = task == Task::first_stage  ? first_stage_objective(model, batch, terms, at)
                     : task == Task::extraction ? extraction_objective(model, batch, terms, at)
                                                : diffusion_objective(model, batch, terms, at, drawn ? *drawn : local);
  if (!result.total.defined())
    throw Error("no loss term has started at step " + std::to_string(at.stage_step) + " of the stage", "",
                "give one term start = 0");
  return result;
}

void observe(model::Model& model, const Draw& draw, const Objective& objective) {
  if (draw.times.empty() || !model.timesteps.has<&perrin_timesteps::observe>()) return;
  std::vector<double> t;
  for (const perrin_time& at : draw.times) t.push_back(at.t);
  const std::vector<float>& values = objective.terms.front().per_sample;
  const std::vector<double> losses(values.begin(), values.end());
  model.timesteps.invoke<&perrin_timesteps::observe>(&model.times.domain(), uint64_t{t.size()}, t.data(),
                                                     losses.data());
}

}  // namespace perrin::train
