#include "host/life/live.hpp"

#include <chrono>

#include "host/base/error.hpp"
#include "host/life/trainer.hpp"
#include "host/model/given_weights.hpp"
#include "host/record/trace.hpp"
#include "host/runs/data_record.hpp"
#include "host/runs/guide.hpp"
#include "host/runs/inputs.hpp"
#include "host/runs/provenance.hpp"
#include "host/sample/conditions.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/steps.hpp"
#include "host/store/clock.hpp"

namespace perrin::life {
namespace {

// The last status; the failure that led here counts more than one on the way out.
void fail(record::Sink& sink, const std::string& why) noexcept {
  try {
    sink.status("failed", why);
    sink.close();
  } catch (...) {
  }
}

// One process's part of a run: from a model and a checkpoint, or none, to the end.
End train(Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, record::Sink& sink,
          const Start& start, const std::function<bool()>& stop) {
  model::Model& model = composition.model;
  const config::Samples& samples = model.experiment.samples;
  runs::keep_data(folder, model, model.diffuses() ? sample::grid_rows(model, samples) : 0);
  for (const std::string& note : start.notes) sink.text("warning: " + note);
  Pictures pictures(model, folder, sink, start.drawn, stop);
  Watch watch;
  watch.sample = [&](const config::Stage& stage, int64_t step) { return pictures.draw(stage, step); };
  watch.stop = stop;
  watch.begun = [&] {
    for (const std::string& line : sample::cut_prompts(model, samples.prompts)) sink.text(line);
  };
  Trainer trainer(composition, loaded, folder, sink, std::move(watch), runs::to_metadata(start.origin));
  if (start.checkpoint) trainer.restore(*start.checkpoint, start.checkpoint->metadata.at("config_hash"));
  End end;
  end.finished = trainer.run();
  end.step = trainer.progress().step;
  if (end.finished)
    end.finished = pictures.draw(model.experiment.stages[static_cast<size_t>(trainer.progress().stage)], end.step);
  end.losses = trainer.losses();
  end.picture = pictures.newest();
  return end;
}

}  // namespace

void prepare(Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
             const LoadExperiment& load) {
  model::Model& model = composition.model;
  model::give_weights(model, loaded, composition.trainable_losses());
  check_stages(composition, loaded);
  sample::check_generates(model, loaded);
  if (!model.diffuses()) return;
  runs::load_guide(model, registry, load);
  sample::check_steps(model.times, loaded);
}

void identify(Composition& composition, const config::Loaded& loaded, size_t first_stage, record::Sink& sink,
              const std::function<bool()>& stop) {
  const auto progress = [&](uint64_t done, uint64_t total) {
    if (stop && stop()) throw Error("stopped before anything was written", {}, {}, Exit::interrupted);
    constexpr uint64_t kLong = uint64_t{256} << 20, kMega = 1'000'000;
    if (total >= kLong)
      sink.work({"hashing the data", "MB", static_cast<int64_t>(done / kMega), static_cast<int64_t>(total / kMega)});
  };
  composition.inputs =
      runs::read_inputs(composition.model, composition.trainable_losses(), loaded, first_stage, progress);
}

store::Layout layout_of(Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
                        const runs::Folder& folder, const std::vector<std::string>& argv) {
  store::Layout layout;
  layout.run_id = folder.id();
  layout.config_hash = loaded.hash;
  layout.config_toml = loaded.resolved_toml;
  layout.config_json = loaded.resolved_json;
  layout.params = loaded.params;
  layout.provenance = runs::provenance(composition.model, composition.inputs, argv);
  layout.plugins = runs::plugins_used(loaded.experiment, registry);
  layout.groups = record::trace_groups(composition.model, composition.losses);
  layout.groups.push_back(record::summary_group(composition.model.experiment));
  layout.images = picture_tags(composition.model);
  return layout;
}

End live(Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, record::Sink& sink,
         const Start& start, const std::function<bool()>& stop) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    End end = train(composition, loaded, folder, sink, start, stop);
    end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    sink.summary(end.step, store::unix_seconds(),
                 record::summary_row(composition.model.experiment, end.losses, end.seconds));
    sink.status(end.finished ? "finished" : "interrupted", {});
    sink.close();
    return end;
  } catch (const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    fail(sink, known ? known->message() : error.what());
    throw;
  }
}

}  // namespace perrin::life
