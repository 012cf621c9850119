#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/check_data.hpp"
#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/console/units.hpp"
#include "host/data/captions.hpp"
#include "host/data/conditioner_fit.hpp"
#include "host/life/live.hpp"
#include "host/model/fields.hpp"
#include "host/model/model.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/guide_level.hpp"
#include "host/sample/steps.hpp"
#include "host/train/cost.hpp"

namespace perrin::app {
namespace {

std::string field_text(const perrin_field& field) {
  return std::string(field.spec.name.data, field.spec.name.size) + " " + model::shape_text(field.spec) +
         (field.n_classes ? " of " + std::to_string(field.n_classes) + " classes" : "");
}

// What each component makes of the shapes that reach it.
std::string role_of(const model::Model& model, const std::string& kind) {
  const model::Shapes& s = model.shapes;
  if (kind == "encoder") return model::shape_text(s.x) + " -> " + model::shape_text(s.z);
  if (kind == "extractor") {
    std::string layers;
    for (size_t i = 0; i < s.layers.size(); ++i)
      layers += (i ? ", " : "") + s.layers[i] + " " + model::shape_text(s.layer_specs[i]);
    return layers;
  }
  if (kind == "denoiser") return model::shape_text(s.z) + " -> " + model::shape_text(s.prediction);
  std::string text;
  if (kind == "dataset")
    for (const perrin_field& field : s.fields) text += (text.empty() ? "" : ", ") + field_text(field);
  if (kind == "conditioner" && s.conditioning) {
    const perrin_conditioning_spec& c = *s.conditioning;
    if (c.slots & PERRIN_SLOT_VECTOR) text += "vector " + model::shape_text(c.vector) + " ";
    if (c.slots & PERRIN_SLOT_SEQUENCE) text += "sequence " + model::shape_text(c.sequence) + " ";
    if (c.slots & PERRIN_SLOT_CONCAT) text += "concat " + model::shape_text(c.concat);
  }
  return text;
}

std::string flop_text(double flops) {
  const char* units[] = {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"};
  int i = 0;
  for (; flops >= 1000 && i < 5; ++i) flops /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %s", flops, units[i]);
  return text;
}

// sigma / alpha; null where there is no signal.
nlohmann::json level_of(const perrin_time& at) {
  return at.alpha > 0 ? nlohmann::json(at.sigma / at.alpha) : nlohmann::json();
}

nlohmann::json report(model::Model& model, const config::Loaded& loaded, const std::vector<std::string>& warnings) {
  nlohmann::json r;
  r["experiment"] = nlohmann::json::parse(loaded.resolved_json);
  r["hash"] = loaded.hash;
  r["samples_in_dataset"] = model::dataset_count(model.dataset);
  r["warnings"] = warnings;  // what plugins said by now, such as which files a dataset passes over
  for (const model::ParameterGroup& group : model.parameters.groups()) r["parameters"][group.kind] = group.count();
  for (const config::Stage& stage : loaded.experiment.stages) {
    const int64_t batch = stage.batch_size * stage.accumulate;
    const train::Cost cost = train::measure_cost(model, stage);
    r["stages"].push_back({{"name", stage.name},
                           {"steps", stage.steps},
                           {"forward_flops_per_sample", cost.forward_flops},
                           {"flops_per_step", 3 * cost.forward_flops * batch},
                           {"parameter_bytes", train::parameter_bytes(model, stage.ema_decay > 0)},
                           {"activation_bytes", cost.activation_bytes * stage.batch_size}});
  }
  if (!model.diffuses()) return r;
  // Without the clean end; sigma / alpha of pure noise is null.
  std::vector<perrin_time> times = sample::sampling_times(model.times, loaded.experiment.sampling);
  times.pop_back();
  for (const perrin_time& at : times) {
    r["sampling_times"].push_back(at.t);
    r["sampling_levels"].push_back(level_of(at));
    // A guide of another schedule may not reach all levels.
    if (model.guide) r["guide_levels"].push_back(level_of(sample::guide_level(*model.guide, at).at));
  }
  return r;
}

void print_levels(const char* title, const nlohmann::json& levels) {
  std::cout << "\n" << title;
  for (const auto& level : levels) {
    if (level.is_null())
      std::cout << " inf";
    else
      std::cout << " " << level.get<double>();
  }
}

void print_steps(const nlohmann::json& r) {
  std::cout << "\nsampling at t =";
  for (const auto& t : r["sampling_times"]) std::cout << " " << t.get<double>();
  print_levels(" sigma / alpha =", r["sampling_levels"]);
  if (r.contains("guide_levels")) print_levels("the guide's, its nearest =", r["guide_levels"]);
  std::cout << "\n";
}

void print(const model::Model& model, const config::Loaded& loaded, const nlohmann::json& r) {
  std::cout << loaded.file << ": fine\n\n";
  if (r.contains("unreadable_samples")) std::cout << "  all " << r["samples_in_dataset"] << " samples can be read\n\n";
  for (const config::Component* c : loaded.experiment.components()) {
    std::string line = "  " + c->kind + std::string(c->kind.size() < 17 ? 17 - c->kind.size() : 1, ' ') + c->use;
    const std::string role = role_of(model, c->kind);
    if (!role.empty()) line += std::string(line.size() < 38 ? 38 - line.size() : 1, ' ') + role;
    std::cout << line << "\n";
  }
  std::cout << "\nparameters\n";
  int64_t total = 0;
  for (const auto& [kind, count] : r["parameters"].items()) {
    if (count == 0) continue;
    std::cout << "  " << kind << std::string(kind.size() < 17 ? 17 - kind.size() : 1, ' ') << count << "\n";
    total += count.get<int64_t>();
  }
  std::cout << "  total            " << total << " (" << console::count(total) << ")\n\ncost (estimated)\n";
  for (const auto& stage : r["stages"]) {
    std::cout << "  stage \"" << stage["name"].get<std::string>() << "\": " << stage["steps"] << " steps, "
              << flop_text(stage["forward_flops_per_sample"].get<double>()) << " forward a sample, "
              << flop_text(stage["flops_per_step"].get<double>()) << " a step; "
              << console::bytes(stage["parameter_bytes"].get<int64_t>()) << " for weights and optimizer, up to "
              << console::bytes(stage["activation_bytes"].get<int64_t>()) << " for activations in fp32\n";
  }
  if (model.diffuses()) print_steps(r);
  std::cout << "\nresolved experiment (" << loaded.hash.substr(0, 8) << ")\n" << loaded.resolved_toml;
}

// Conditioners that learn their vocabulary from the data do it here as a run would: lengths are counted in its tokens.
void warn_of_cut_texts(model::Model& model) {
  const int64_t batch_size = model.experiment.samples.batch_size;
  data::fit_conditioners(model, batch_size);
  for (const std::string& line : data::cut_captions(model, batch_size)) std::cerr << line << "\n";
  for (const std::string& line : sample::cut_prompts(model, model.experiment.samples.prompts)) std::cerr << line << "\n";
}

void add(const std::vector<UnreadableSample>& unreadable, nlohmann::json& r) {
  r["unreadable_samples"] = nlohmann::json::array();
  for (const UnreadableSample& sample : unreadable)
    r["unreadable_samples"].push_back({{"index", sample.index}, {"reason", sample.reason}});
}

[[noreturn]] void refuse(const std::vector<UnreadableSample>& unreadable, uint64_t count, const std::string& file) {
  std::string text = std::to_string(unreadable.size()) + " of " + std::to_string(count) + " samples cannot be read:";
  for (const UnreadableSample& sample : unreadable)
    text += "\n  sample " + std::to_string(sample.index) + ": " + sample.reason;
  throw Error(text, file, "mend or remove them");
}

}  // namespace

int check_command(const std::vector<std::string>& arguments) {
  const Command c = check_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const std::filesystem::path file = required(c, *values, "FILE");
  const auto set = values->count("set") ? (*values)["set"].as<std::vector<std::string>>() : std::vector<std::string>();
  const auto log = std::make_shared<record::LogFile>();
  loader::Registry& registry = open_registry({std::filesystem::absolute(file).parent_path()}, {.log = log});
  const config::Loaded loaded = load_experiment(file, set);
  life::Composition composition(loaded, registry);
  model::Model& model = composition.model;
  life::prepare(composition, loaded, registry, load_other);
  warn_of_cut_texts(model);
  nlohmann::json r = report(model, loaded, log->waiting());
  std::vector<UnreadableSample> unreadable;
  if (values->count("data")) add(unreadable = unreadable_samples(model.dataset), r);
  if (values->count("json")) {
    std::cout << json_text(r, 2);
    return static_cast<int>(unreadable.empty() ? Exit::ok : Exit::failed);
  }
  if (!unreadable.empty()) refuse(unreadable, r["samples_in_dataset"].get<uint64_t>(), loaded.file);
  print(model, loaded, r);
  return 0;
}

}  // namespace perrin::app
