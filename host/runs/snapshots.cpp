#include "host/runs/snapshots.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <list>
#include <sstream>

#include "host/base/error.hpp"
#include "host/model/tensor_file.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "perrin.ema/1";

struct Snapshot {
  fs::path file;
  int64_t stage = 0, time = 0;
  std::vector<double> sigma_rel;
};

Snapshot read_snapshot(const fs::path& file) {
  const store::SafeTensors tensors = model::open_tensor_file(file, kSchema, "a snapshot of averages");
  const store::Metadata& m = tensors.metadata();
  Snapshot snapshot{file, model::held_number(m, "stage", file), model::held_number(m, "stage_step", file), {}};
  const auto widths = m.find("sigma_rel");
  std::istringstream text(widths == m.end() ? "" : widths->second);
  for (double width = 0; text >> width;) snapshot.sigma_rel.push_back(width);
  if (snapshot.sigma_rel.empty()) throw Error("the snapshot does not say its sigma_rel", file.string(), "remove it");
  return snapshot;
}

// Of the last stage, oldest first.
std::vector<Snapshot> snapshots(const fs::path& folder) {
  std::vector<Snapshot> all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".safetensors") all.push_back(read_snapshot(entry.path()));
  if (all.empty())
    throw Error("the run kept no snapshots of its averages", folder.string(),
                "train with ema = \"power\" and ema_snapshot_every above 0");
  const auto before = [](const Snapshot& a, const Snapshot& b) {
    return std::pair(a.stage, a.time) < std::pair(b.stage, b.time);
  };
  std::sort(all.begin(), all.end(), before);
  const int64_t last = all.back().stage;
  std::erase_if(all, [&](const Snapshot& s) { return s.stage != last; });
  return all;
}

}  // namespace

void save_snapshot(const fs::path& folder, const model::ParameterSet& parameters, const train::Averages& averages,
                   const Progress& progress) {
  std::vector<store::TensorView> tensors;
  std::list<at::Tensor> kept;  // what the views point to
  for (size_t i = 0; i < averages.flat().size(); ++i) {
    const at::Tensor& flat = kept.emplace_back(averages.flat()[i].cpu());
    model::for_each_saved(parameters, [&](const model::Parameter& p) {
      if (p.offset >= 0)
        tensors.push_back(model::tensor_view(train::Averages::prefix(i) + p.name, p.sizes, model::piece_of(flat, p)));
    });
  }
  model::for_each_saved(parameters, [&](const model::Parameter& p) {
    if (p.offset < 0) tensors.push_back(model::tensor_view(p.name, p.sizes, kept.emplace_back(p.tensor.cpu())));
  });
  std::ostringstream widths;
  widths.precision(17);
  for (const double width : averages.sigma_rel()) widths << (widths.tellp() > 0 ? " " : "") << width;
  fs::create_directories(folder);
  store::write_safetensors(folder / checkpoint_name(progress.step), tensors,
                           {{"schema", kSchema},
                            {"sigma_rel", widths.str()},
                            {"step", std::to_string(progress.step)},
                            {"position", std::to_string(progress.position)},
                            {"stage", std::to_string(progress.stage)},
                            {"stage_step", std::to_string(progress.stage_step)}});
}

void load_reconstructed(const fs::path& folder, double sigma_rel, model::ParameterSet& parameters) {
  const std::vector<Snapshot> held = snapshots(folder);
  std::vector<train::Profile> profiles;
  for (const Snapshot& snapshot : held)
    for (const double width : snapshot.sigma_rel) profiles.push_back({width, static_cast<double>(snapshot.time)});
  const std::vector<double> x = reconstruction(profiles, {sigma_rel, static_cast<double>(held.back().time)});
  const at::Tensor sum = at::zeros(parameters.values().sizes(), at::kDouble);
  size_t next = 0;
  for (const Snapshot& snapshot : held) {
    const store::SafeTensors tensors = model::open_tensor_file(snapshot.file, kSchema, "a snapshot of averages");
    for (size_t i = 0; i < snapshot.sigma_rel.size(); ++i, ++next)
      model::for_each_saved(parameters, [&](const model::Parameter& p) {
        if (p.offset < 0) {
          p.tensor.copy_(model::held_tensor(tensors, p.name, p.sizes, p.tensor.scalar_type(), snapshot.file));
          return;
        }
        const at::Tensor average =
            model::held_tensor(tensors, train::Averages::prefix(i) + p.name, p.sizes, at::kFloat, snapshot.file);
        model::piece_of(sum, p).add_(average.view(-1), x[next]);
      });
  }
  parameters.values().copy_(sum);
}

}  // namespace perrin::runs
