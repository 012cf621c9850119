#include "host/runs/checkpoint.hpp"

#include <algorithm>
#include <list>

#include "host/base/error.hpp"
#include "host/model/tensor_file.hpp"
#include "host/runs/folder.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "perrin.checkpoint/1";
constexpr const char* kState = "state.";

std::vector<fs::path> checkpoint_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".safetensors" && entry.path().filename().string().rfind("step-", 0) == 0)
      files.push_back(entry.path());
  // Newest first. Names are padded to eight digits: longer numbers are later.
  const auto later = [](const fs::path& a, const fs::path& b) {
    const std::string x = a.filename().string(), y = b.filename().string();
    return x.size() != y.size() ? x.size() > y.size() : x > y;
  };
  std::sort(files.begin(), files.end(), later);
  return files;
}

void copy(const store::SafeTensors& from, const std::string& name, const std::vector<int64_t>& sizes,
          const at::Tensor& target, const fs::path& file) {
  target.copy_(model::held_tensor(from, name, sizes, target.scalar_type(), file).view(target.sizes()));
}

void load_states(const store::SafeTensors& from, const model::Stateful& stateful, const fs::path& file) {
  std::vector<std::string> taken;
  for (const auto& [name, component] : stateful) {
    if (!component->extension<perrin_state>()) continue;
    const store::TensorView* held = from.find(taken.emplace_back(kState + name));
    if (!held || held->dtype != store::Dtype::u8 || held->shape.size() != 1)
      throw Error("the checkpoint lacks what the " + component->kind() + " (" + component->id() +
                      ") had learnt: tensor \"" + taken.back() + "\", bytes in one dimension",
                  file.string(), "use another checkpoint of the run");
    model::load_state(*component, taken.back(), *held, file);
  }
  for (const std::string& name : from.names())
    if (name.starts_with(kState) && std::find(taken.begin(), taken.end(), name) == taken.end())
      throw Error("the checkpoint has a state \"" + name + "\" that no component of the experiment takes up",
                  file.string(), "use a checkpoint of this experiment");
}

}  // namespace

store::SafeTensors open_checkpoint(const fs::path& file) {
  return model::open_tensor_file(file, kSchema, "a checkpoint");
}

std::string checkpoint_name(int64_t step) {
  std::string digits = std::to_string(step);
  return "step-" + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits + ".safetensors";
}

void save_checkpoint(const fs::path& file, const model::ParameterSet& parameters, const train::Training& training,
                     const Progress& progress, const std::string& config_hash, const model::Stateful& stateful,
                     const store::Metadata& more) {
  const at::Tensor values = parameters.values().cpu();
  std::vector<at::Tensor> averages;
  for (const at::Tensor& flat : training.averages->flat()) averages.push_back(flat.cpu());
  std::vector<store::TensorView> tensors;
  std::list<at::Tensor> kept;  // what the views point to
  model::for_each_saved(parameters, [&](const model::Parameter& p) {
    if (p.offset < 0) {
      tensors.push_back(model::tensor_view(p.name, p.sizes, kept.emplace_back(p.tensor.cpu())));
      return;
    }
    tensors.push_back(model::tensor_view(p.name, p.sizes, model::piece_of(values, p)));
    for (size_t i = 0; i < averages.size(); ++i)
      tensors.push_back(
          model::tensor_view(train::Averages::prefix(i) + p.name, p.sizes, model::piece_of(averages[i], p)));
  });
  for (const train::StateTensor& state : training.state)
    tensors.push_back(model::tensor_view(state.name, state.sizes, kept.emplace_back(state.tensor.cpu())));
  for (const auto& [name, component] : stateful) {
    if (!component->extension<perrin_state>()) continue;
    const at::Tensor& bytes = kept.emplace_back(model::state_of(*component));
    tensors.push_back(model::tensor_view(kState + name, bytes.sizes().vec(), bytes));
  }
  store::Metadata metadata = {{"schema", kSchema},
                              {"config_hash", config_hash},
                              {"step", std::to_string(progress.step)},
                              {"position", std::to_string(progress.position)},
                              {"stage", std::to_string(progress.stage)},
                              {"stage_step", std::to_string(progress.stage_step)}};
  metadata.insert(more.begin(), more.end());
  store::write_safetensors(file, tensors, metadata);
}

void load_checkpoint(const fs::path& file, model::ParameterSet& parameters, const train::Training* training,
                     const std::string& config_hash, const model::Stateful& stateful) {
  const store::SafeTensors tensors = open_checkpoint(file);
  const auto hash = tensors.metadata().find("config_hash");
  if (hash == tensors.metadata().end() || hash->second != config_hash)
    throw Error("the checkpoint belongs to another experiment", file.string(),
                "resume with the run's own experiment.toml");
  model::for_each_saved(parameters, [&](const model::Parameter& p) {
    if (p.offset < 0) return copy(tensors, p.name, p.sizes, p.tensor, file);
    copy(tensors, p.name, p.sizes, model::piece_of(parameters.values(), p), file);
    if (!training) return;
    const std::vector<at::Tensor>& averages = training->averages->flat();
    for (size_t i = 0; i < averages.size(); ++i)
      copy(tensors, train::Averages::prefix(i) + p.name, p.sizes, model::piece_of(averages[i], p), file);
  });
  if (training)
    for (const train::StateTensor& state : training->state) copy(tensors, state.name, state.sizes, state.tensor, file);
  load_states(tensors, stateful, file);
}

void for_each_averaged(const store::SafeTensors& held, const model::ParameterSet& parameters,
                       const std::vector<std::string>& groups, const fs::path& file,
                       const std::function<void(const model::Parameter&, const at::Tensor& value)>& f) {
  for (const model::ParameterGroup& group : parameters.groups()) {
    if (std::find(groups.begin(), groups.end(), group.kind) == groups.end()) continue;
    for (const model::Parameter& p : group.parameters) {
      if (p.tied_to >= 0 || p.role == PERRIN_SCRATCH) continue;
      const std::string averaged = "ema." + p.name;
      const bool present = p.offset >= 0 && held.find(averaged) != nullptr;
      const at::ScalarType dtype = p.offset >= 0 ? parameters.values().scalar_type() : p.tensor.scalar_type();
      f(p, model::held_tensor(held, present ? averaged : p.name, p.sizes, dtype, file));
    }
  }
}

void load_held_states(const store::SafeTensors& held, const model::Stateful& stateful, const fs::path& file) {
  for (const auto& [name, component] : stateful) {
    const store::TensorView* state = held.find(kState + name);
    if (state && component->extension<perrin_state>()) model::load_state(*component, kState + name, *state, file);
  }
}

void load_averaged(const fs::path& file, model::ParameterSet& parameters, const model::Stateful& stateful) {
  const store::SafeTensors tensors = open_checkpoint(file);
  std::vector<std::string> groups;
  for (const model::ParameterGroup& group : parameters.groups())
    if (!group.kind.starts_with("loss.")) groups.push_back(group.kind);
  for_each_averaged(tensors, parameters, groups, file,
                    [&](const model::Parameter& p, const at::Tensor& value) { model::fill(parameters, p, value); });
  load_held_states(tensors, stateful, file);
}

Found found_at(const fs::path& file) {
  const store::SafeTensors tensors = open_checkpoint(file);
  const store::Metadata& m = tensors.metadata();
  return {file,
          {model::held_number(m, "step", file), static_cast<uint64_t>(model::held_number(m, "position", file)),
           model::held_number(m, "stage", file), model::held_number(m, "stage_step", file)},
          m};
}

std::optional<Found> newest_checkpoint(const fs::path& folder, std::vector<std::string>* rejected) {
  for (const fs::path& file : checkpoint_files(folder)) {
    try {
      return found_at(file);
    } catch (const Error& error) {
      if (rejected) rejected->push_back(file.filename().string() + ": " + error.what());
    }
  }
  return std::nullopt;
}

fs::path checkpoint_at(const fs::path& named, std::vector<std::string>* rejected) {
  if (!fs::is_directory(named)) return named;
  const fs::path folder = open_folder(named).checkpoints();
  std::vector<std::string> unusable;
  const auto newest = newest_checkpoint(folder, &unusable);
  if (!newest) {
    std::string what = "the run has no usable checkpoint yet";
    for (const std::string& line : unusable) what += "; " + line;
    throw Error(what, folder.string(), "train it further, or name a checkpoint file");
  }
  if (rejected) *rejected = std::move(unusable);
  return newest->file;
}

void prune_checkpoints(const fs::path& folder, size_t keep) {
  const std::vector<fs::path> files = checkpoint_files(folder);
  std::error_code ignored;
  for (size_t i = keep; i < files.size(); ++i) fs::remove(files[i], ignored);
}

}  // namespace perrin::runs
