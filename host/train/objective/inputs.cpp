#include "host/train/objective/inputs.hpp"

#include "host/train/objective/diffusion.hpp"
#include "host/train/objective/extraction.hpp"
#include "host/train/objective/first_stage.hpp"

namespace perrin::train {
namespace {

Known known(const model::Model& model, const config::Stage& stage, std::string_view name) {
  switch (task_of(model, stage)) {
    case Task::first_stage:
      return known_in_first_stage(model, name);
    case Task::extraction:
      return known_in_extraction(model, name);
    case Task::diffusion:
      break;
  }
  return known_in_diffusion(model, name);
}

}  // namespace

void check_inputs(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage,
                  const config::Loss& loss, const services::Component& component) {
  for (const InputName& input : inputs_of(component)) {
    const auto missing = known(model, stage, input.name).missing;
    if (missing && !input.optional)
      throw loaded.error(
          loss.component.location,
          "the loss \"" + loss.component.use + "\" needs \"" + std::string(input.name) + "\", and " + missing->why,
          missing->fix);
  }
}

std::vector<perrin_spec> input_shapes(const model::Model& model, const config::Stage& stage,
                                      const services::Component& component) {
  std::vector<perrin_spec> specs;
  for (const InputName& input : inputs_of(component)) {
    const Known found = known(model, stage, input.name);
    if (found.missing || !found.shape) continue;
    perrin_spec& spec = specs.emplace_back(*found.shape);
    spec.name = {input.name.data(), input.name.size()};
    spec.dtype = PERRIN_FLOAT32;
  }
  return specs;
}

}  // namespace perrin::train
