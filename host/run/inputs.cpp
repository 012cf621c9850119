#include "host/run/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "host/config/sha256.hpp"
#include "host/loader/file_sums.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/folder.hpp"
#include "host/run/model.hpp"
#include "host/run/take.hpp"
#include "host/services/hooks.hpp"
#include "host/services/status.hpp"

namespace perrin::run {
namespace {

namespace fs = std::filesystem;

// Inputs of one component, before their contents are known.
struct Declared {
  std::string component;
  std::vector<Input> inputs;    // sha256 empty: of the file
  std::vector<fs::path> paths;  // of those files, in order
};

perrin_status* declare_file(void* context, perrin_text name, perrin_text path) {
  return services::as_status([&] {
    auto& declared = *static_cast<Declared*>(context);
    declared.inputs.push_back({declared.component, std::string(services::view(name)), 0, ""});
    declared.paths.emplace_back(services::view(path));
  });
}

perrin_status* declare_bytes(void* context, perrin_text name, uint64_t n, const uint8_t* bytes) {
  return services::as_status([&] {
    auto& declared = *static_cast<Declared*>(context);
    const std::string_view held(reinterpret_cast<const char*>(bytes), n);
    declared.inputs.push_back({declared.component, std::string(services::view(name)), n, config::sha256_hex(held)});
  });
}

void add_file(Declared& declared, const std::string& name, const fs::path& path) {
  declared.inputs.push_back({declared.component, name, 0, ""});
  declared.paths.push_back(path);
}

// A file that a component found, or a run of which it takes the newest weights. Of another folder nothing is known.
void add_artifact(Declared& declared, const services::Artifact& artifact) {
  std::error_code none;
  if (fs::is_regular_file(artifact.path, none)) return add_file(declared, artifact.name, artifact.path);
  const Folder run{artifact.path};
  if (!fs::exists(run.experiment(), none)) return;
  add_file(declared, artifact.name + "/experiment.toml", run.experiment());
  if (const auto newest = newest_checkpoint(run.checkpoints(), nullptr))
    add_file(declared, artifact.name + "/" + newest->file.filename().string(), newest->file);
}

Declared& of_component(std::vector<Declared>& all, const std::string& id) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Declared& d) { return d.component == id; });
  return found != all.end() ? *found : all.emplace_back(Declared{id, {}, {}});
}

// Of a dataset that says what it reads, and of stages, which are asked for below.
bool is_told_already(const Model& model, const InputFiles& inputs, const services::Artifact& artifact) {
  const auto starts_from_it = [&](const config::Stage& stage) { return stage.from == artifact.name; };
  if (artifact.component.empty()) return std::ranges::any_of(model.experiment.stages, starts_from_it);
  return inputs.dataset_known && artifact.component == model.dataset.id();
}

// True if the component says what it reads.
bool declare(const services::Component& component, std::vector<Declared>& all) {
  if (!component || !component.has<&perrin_identity::declare>()) return false;
  const perrin_identity_sink sink{sizeof sink, 0, &of_component(all, component.id()), declare_file, declare_bytes};
  component.invoke<&perrin_identity::declare>(&sink);
  return true;
}

// The table of known sums is that of the folder which the component found, or of where its first file lies.
std::string set_of(const Declared& declared) {
  for (const services::Artifact& artifact : services::artifacts())
    if (artifact.component == declared.component) return declared.component + "\n" + artifact.path.string();
  return declared.component + "\n" + declared.paths.front().parent_path().string();
}

void fill(Declared& declared, const std::function<void(uint64_t, uint64_t)>& progress) {
  if (declared.paths.empty()) return;
  const std::string set = set_of(declared);
  const std::vector<loader::FileSum> sums = loader::file_sums(set, declared.paths, progress);
  auto next = sums.begin();
  for (Input& input : declared.inputs)
    if (input.sha256.empty()) input.bytes = next->size, input.sha256 = (next++)->sha256;
}

}  // namespace

std::vector<InputSum> InputFiles::sums() const {
  std::vector<InputSum> sums;
  std::vector<std::string> texts;
  for (const Input& input : all) {
    if (sums.empty() || sums.back().component != input.component) {
      sums.push_back({input.component, 0, 0, ""});
      texts.emplace_back();
    }
    sums.back().files += 1;
    sums.back().bytes += input.bytes;
    texts.back() += std::to_string(input.name.size()) + " " + input.name + " " + std::to_string(input.bytes) + " " +
                    input.sha256 + "\n";
  }
  for (size_t i = 0; i < sums.size(); ++i) sums[i].sha256 = config::sha256_hex(texts[i]);
  return sums;
}

std::string InputFiles::of(const std::string& id) const {
  for (const InputSum& sum : sums())
    if (sum.component == id) return sum.sha256;
  return config::sha256_hex("");
}

InputFiles read_inputs(Model& model, const config::Loaded& loaded, size_t first_stage,
                       const std::function<void(uint64_t, uint64_t)>& progress) {
  InputFiles inputs;
  std::vector<Declared> all;
  inputs.dataset_known = declare(model.dataset, all);
  for (const auto& [name, component] : model.trainable()) declare(*component, all);
  for (const services::Component* component : {&model.schedule, &model.timesteps, &model.sampler, &model.guidance})
    declare(*component, all);
  for (const services::Artifact& artifact : services::artifacts())
    if (!is_told_already(model, inputs, artifact)) add_artifact(of_component(all, artifact.component), artifact);
  for (const config::Stage& stage : loaded.experiment.stages | std::views::drop(first_stage))
    if (!stage.from.empty())
      add_file(of_component(all, kStage + stage.name), stage.from, checkpoint_named(loaded, stage));
  for (Declared& declared : all) {
    fill(declared, progress);
    inputs.all.insert(inputs.all.end(), declared.inputs.begin(), declared.inputs.end());
  }
  return inputs;
}

InputFiles dataset_inputs(Model& model) {
  InputFiles inputs;
  std::vector<Declared> all;
  inputs.dataset_known = declare(model.dataset, all);
  for (Declared& declared : all) fill(declared, {}), inputs.all = declared.inputs;
  return inputs;
}

}  // namespace perrin::run
