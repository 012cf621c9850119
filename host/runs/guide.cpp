#include "host/runs/guide.hpp"

#include <perrin/kind/guidance.h>

#include <optional>

#include "host/base/error.hpp"
#include "host/model/fields.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/data_record.hpp"
#include "host/runs/folder.hpp"
#include "host/services/status.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

// Keeps the experiment that its model refers to.
struct Other {
  config::Loaded loaded;
  std::optional<model::Model> model;
};

fs::path found(const model::Model& model) {
  perrin_text name{};
  model.guidance.invoke<&perrin_guide_model::checkpoint>(&name);
  return model.find(std::string(services::view(name)));
}

// The branches that the guidance ever asks for, by the ends and the middle of the schedule.
uint32_t asked(const model::Model& model) {
  const perrin_time_domain& domain = model.times.domain();
  uint32_t all = 0;
  for (const double t : {domain.t_min, (domain.t_min + domain.t_max) / 2, domain.t_max}) {
    const perrin_time at = model.times.at(t);
    uint32_t mask = 0;
    model.guidance.invoke<&perrin_guidance::branches>(&at, &mask);
    all |= mask;
  }
  return all;
}

void check_fit(const model::Model& model, const model::Model& guide, const fs::path& path) {
  const std::string own = model::shape_text(model.shapes.z), other = model::shape_text(guide.shapes.z);
  if (own != other) {
    throw Error("the guide diffuses in " + other + ", the guided model in " + own, path.string(),
                "name a run of the same data and the same encoder");
  }
  const uint32_t mask = asked(model);
  if (mask & PERRIN_BRANCH_GUIDE && guide.shapes.logits)
    throw Error("the guide is a classifier and denoises nothing", path.string(), "name a run of a denoiser");
  if (mask & PERRIN_BRANCH_CLASSIFIER && !guide.shapes.logits)
    throw Error("the guidance needs a classifier, and the run is of the denoiser \"" + guide.denoiser.id() + "\"",
                path.string(), "name a run of unet-classifier");
  if (guide.shapes.logits && model::class_count(model.shapes.fields) != model::class_count(guide.shapes.fields))
    throw Error("the classifier knows " + std::to_string(model::class_count(guide.shapes.fields)) +
                    " classes, and the guided model's dataset has " +
                    std::to_string(model::class_count(model.shapes.fields)),
                path.string(), "name a classifier of the same data");
}

}  // namespace

void load_guide(model::Model& model, loader::Registry& registry,
                const std::function<config::Loaded(const fs::path& experiment)>& load) {
  if (!model.guidance.has<&perrin_guide_model::checkpoint>()) return;
  const fs::path path = found(model);
  const Folder folder = open_folder(fs::is_directory(path) ? path : path.parent_path().parent_path());
  auto other = std::make_shared<Other>(load(folder.experiment()), std::nullopt);
  model::Model& guide = other->model.emplace(other->loaded, registry, kept_data(folder, other->loaded), model.session);
  check_fit(model, guide, path);
  guide.build_parameters();
  load_averaged(checkpoint_at(path), guide.parameters, guide.fitted());
  guide.parameters.bind_values();
  model.guide = {other, &guide};
}

}  // namespace perrin::runs
