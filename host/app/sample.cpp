#include <ATen/core/Tensor.h>

#include <algorithm>
#include <iostream>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/app/output.hpp"
#include "host/app/sample_request.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/progress.hpp"
#include "host/life/signals.hpp"
#include "host/model/device.hpp"
#include "host/model/model.hpp"
#include "host/runs/data_record.hpp"
#include "host/runs/folder.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/steps.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

constexpr const char *kPicture = ".png", *kArrays = ".safetensors";

bool has_scale(const config::Component& guidance) {
  const auto& keys = guidance.factory->keys;
  return std::any_of(keys.begin(), keys.end(), [](const auto& key) { return key.name == "scale"; });
}

// The options as overrides, in the order in which they count: --guidance comes last, for whichever guidance --set
// chose.
std::vector<std::string> overrides(const options::variables_map& values, const config::Experiment& run) {
  std::vector<std::string> set;
  if (values.count("sampler")) set.push_back(another_sampler(values["sampler"].as<std::string>(), run.sampling));
  if (values.count("guidance") && !has_scale(run.guidance)) set.push_back("guidance={use=\"classifier-free\"}");
  if (values.count("steps")) set.push_back("sampler.steps=" + std::to_string(values["steps"].as<int64_t>()));
  if (values.count("seed")) set.push_back("samples.seed=" + std::to_string(values["seed"].as<int64_t>()));
  if (values.count("count")) set.push_back("samples.count=" + std::to_string(values["count"].as<int64_t>()));
  if (values.count("set"))
    for (const std::string& item : values["set"].as<std::vector<std::string>>()) set.push_back(item);
  if (values.count("guidance")) set.push_back("guidance.scale=" + config::to_toml(values["guidance"].as<double>()));
  return set;
}

Weights weights_of(const options::variables_map& values) {
  Weights weights;
  if (values.count("checkpoint")) weights.checkpoint = values["checkpoint"].as<std::string>();
  if (values.count("ema-sigma-rel")) weights.ema_sigma_rel = values["ema-sigma-rel"].as<double>();
  if (weights.ema_sigma_rel && !weights.checkpoint.empty())
    throw Error("--checkpoint and --ema-sigma-rel both choose the weights", "", "leave one of them out", Exit::usage);
  return weights;
}

// A model that is sampled: of a run, or of an experiment whose weights are files.
struct Source {
  fs::path experiment;
  std::optional<runs::Folder> run;
};

Source source_of(const fs::path& named, const options::variables_map& values) {
  std::error_code ignored;
  const bool of_run = named.filename() == "experiment.toml" && fs::exists(named.parent_path() / "checkpoints", ignored);
  if (named.extension() != ".toml" || of_run || !fs::is_regular_file(named, ignored)) {
    const runs::Folder folder = runs::open_folder(named);
    return {folder.experiment(), folder};
  }
  for (const char* option : {"checkpoint", "ema-sigma-rel"})
    if (values.count(option))
      throw Error(std::string("--") + option + " chooses among a run's weights, and this is an experiment",
                  named.string(), "set `weights` of its components", Exit::usage);
  return {named, std::nullopt};
}

std::vector<fs::path> data_folders(const Source& source) {
  if (source.run) return runs::data_folders(*source.run);
  return {fs::absolute(source.experiment).parent_path()};
}

fs::path default_stem(const Source& source, const config::Experiment& experiment) {
  const fs::path folder = source.run ? source.run->samples() : fs::path("results") / experiment.name;
  return folder / ("sample-" + std::to_string(experiment.samples.seed));
}

}  // namespace

int sample_command(const std::vector<std::string>& arguments) {
  const Command c = sample_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const Source source = source_of(required(c, *values, "RUN|FILE"), *values);
  loader::Registry& registry = open_registry(data_folders(source), {.device = (*values)["device"].as<std::string>()});
  const config::Loaded loaded =
      load_experiment(source.experiment, overrides(*values, load_diffusion(source.experiment).experiment));
  const config::Samples& s = loaded.experiment.samples;
  const fs::path stem = output_stem(
      values->count("out") ? fs::path((*values)["out"].as<std::string>()) : default_stem(source, loaded.experiment),
      {kPicture, kArrays});
  model::Model model(loaded, registry, source.run ? runs::kept_data(*source.run, loaded) : nullptr);
  sample::check_steps(model.times, loaded);
  if (source.run)
    take_weights(model, *source.run, registry, weights_of(*values));
  else
    take_given(model, loaded, registry, values->count("conditions") == 0);

  const GivenTensors tensors = read_tensors(model, *values);
  const Pictures pictures = read_pictures(model, *values);
  const sample::Classes chosen = chosen_classes(model, *values);
  sample::Request request = make_request(model, *values, chosen, pictures, tensors);
  sample::Kept kept;
  if (values->count("save-latents") || values->count("save-conditions")) request.kept = &kept;
  if (sample::inverts(model)) {
    sample::Data data = sample::first_samples(model, s.count, s.batch_size);
    request.start = data.z;
    if (!chosen.label) request.labels = std::move(data.labels);
  }
  auto bar = std::make_unique<console::Progress>("sampling", 0, "call");
  request.progress = [&](int64_t done, int64_t total) { bar->set_total(total), bar->update(done); };
  const at::Tensor samples = keep_known(pictures, sample::generate(model, request));
  bar.reset();

  const fs::path arrays = stem.string() + kArrays, picture = stem.string() + kPicture;
  write_tensors(arrays, samples, request, *values);
  const bool drawn = !sample::inverts(model) && sample::can_draw(samples);
  if (drawn)
    store::write_png(picture, sample::picture(samples, values->count("interpolate") ? request.count : s.columns));
  if (values->count("json")) {
    std::cout << json_text(nlohmann::json{
        {"arrays", arrays.string()}, {"picture", drawn ? picture.string() : ""}, {"count", request.count}});
  } else {
    std::cout << "arrays   " << arrays.string() << "\n";
    if (drawn) std::cout << picture.string() << "\n";
  }
  return 0;
}

}  // namespace perrin::app
