#include "host/sample/guide.hpp"

#include <perrin/kind/guidance.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/data_record.hpp"
#include "host/run/folder.hpp"
#include "host/run/pipeline.hpp"
#include "host/services/tables.hpp"

namespace perrin::sample {
namespace {

namespace fs = std::filesystem;

// Keeps the experiment that its model refers to.
struct Other {
  config::Loaded loaded;
  std::optional<run::Model> model;
};

fs::path found(const run::Model& model) {
  perrin_text name{};
  model.guidance.invoke<&perrin_guide_model::checkpoint>(&name);
  perrin_text path{};
  services::check(services::artifact_table.find(name, &path),
                  {model.guidance.library().crumb, "guidance", "checkpoint"});
  return services::view(path);
}

fs::path checkpoint_of(const run::Folder& folder, const fs::path& named) {
  if (!fs::is_directory(named)) return named;
  const auto newest = run::newest_checkpoint(folder.checkpoints(), nullptr);
  if (!newest) {
    throw Error("the guide has no usable checkpoint", folder.checkpoints().string(),
                "train it first, or name one of its checkpoint files");
  }
  return newest->file;
}

// The branches that the guidance ever asks for, by the ends and the middle of the schedule.
uint32_t asked(const run::Model& model) {
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

void check_fit(const run::Model& model, const run::Model& guide, const fs::path& path) {
  const std::string own = run::shape_text(model.shapes.z), other = run::shape_text(guide.shapes.z);
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
  if (guide.shapes.logits && run::class_count(model.shapes.fields) != run::class_count(guide.shapes.fields))
    throw Error("the classifier knows " + std::to_string(run::class_count(guide.shapes.fields)) +
                    " classes, and the guided model's dataset has " + std::to_string(run::class_count(model.shapes.fields)),
                path.string(), "name a classifier of the same data");
}

}  // namespace

void load_guide(run::Model& model, loader::Registry& registry,
                const std::function<config::Loaded(const fs::path& experiment)>& load) {
  if (!model.guidance.has<&perrin_guide_model::checkpoint>()) return;
  const fs::path path = found(model);
  const run::Folder folder = run::open_folder(fs::is_directory(path) ? path : path.parent_path().parent_path());
  auto other = std::make_shared<Other>(load(folder.experiment()), std::nullopt);
  run::Model& guide = other->model.emplace(other->loaded, registry, run::kept_data(folder, other->loaded));
  check_fit(model, guide, path);
  guide.build_parameters();
  run::load_averaged(checkpoint_of(folder, path), guide.parameters, guide.fitted());
  guide.parameters.bind_values();
  model.guide = {other, &guide};
}

GuideLevel guide_level(const run::Model& guide, const perrin_time& at) {
  const perrin_time same = guide.times.at(at.t);
  if (same.alpha == at.alpha && same.sigma == at.sigma) return {same, 1};
  if (at.sigma == 0) return {{guide.times.domain().t_min, 1, 0}, 1 / at.alpha};
  const perrin_time level = guide.times.at_log_snr(run::log_snr(at));
  return {level, std::hypot(level.alpha, level.sigma) / std::hypot(at.alpha, at.sigma)};
}

}  // namespace perrin::sample
