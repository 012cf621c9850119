// Perrin's side of the benchmark of latent diffusion's stages. Reads one JSON object a line from stdin, answers one a line
// on stdout, so that it can alternate with peer.py, which builds the same networks from the file of weights:
//   {"do": "export", "file": F}   every weight, x, z and what the denoiser is shown and should say of the first
//                                 batch -> {"loss", "gradient": norm, "parameters": trained, "captions"}
//   {"do": "time", "steps": N}   -> {"ms": [one a step]}
// A step is the trainer's: encoder, noise, text, denoiser, loss, gradients, norm, AdamW and average; on one batch, without
// loader, rows and checkpoints.
#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/config/load.hpp"
#include "host/loader/index.hpp"
#include "host/model/device.hpp"
#include "host/model/latent.hpp"
#include "host/services/host.hpp"
#include "host/train/losses.hpp"
#include "host/train/objective/objective.hpp"
#include "host/train/optimizer.hpp"
#include "tests/bench/turns.hpp"

namespace {

using nlohmann::json;
using namespace perrin;

// The run's model in one stage.
class Stage {
 public:
  Stage(model::Model& model, train::Losses& losses, size_t index)
      : model_(model),
        terms_(losses.stages[index]),
        stage_(model.experiment.stages[index]),
        batch_(data::read_samples(model, 0, stage_.batch_size)) {
    // Weights that start at zero would hide differences behind them.
    for (const model::ParameterGroup& group : model.parameters.groups())
      for (const model::Parameter& p : group.parameters)
        if (p.tensor.count_nonzero().item<int64_t>() == 0) p.tensor.detach().normal_(0, 0.05);
    model.parameters.train_only(stage_.train);
    optimizer_ = std::make_unique<train::Optimizer>(model.parameters, stage_);
  }

  train::Objective pass(train::Draw& drawn) {
    model_.parameters.zero_gradients();
    train::Objective o = train::objective(model_, batch_, terms_, {stage_, done_ + 1, done_}, &drawn);
    o.total.backward();
    return o;
  }

  void step() {
    train::Draw drawn;
    pass(drawn);
    optimizer_->update(++done_);
  }

  json write(const std::string& file);

 private:
  std::vector<std::string> captions() const;

  model::Model& model_;
  std::vector<train::LossTerm>& terms_;
  const config::Stage& stage_;
  data::Batch batch_;
  std::unique_ptr<train::Optimizer> optimizer_;
  int64_t done_ = 0;
};

std::vector<std::string> Stage::captions() const {
  std::vector<std::string> texts;
  for (size_t f = 0; f < batch_.fields.size(); ++f) {
    if (services::view(model_.shapes.fields[f].spec.name) != "caption") continue;
    const at::Tensor& rows = batch_.fields[f];  // [B, bytes], zeros behind the text
    for (int64_t b = 0; b < rows.size(0); ++b)
      texts.emplace_back(static_cast<const char*>(rows[b].const_data_ptr()));
  }
  return texts;
}

json Stage::write(const std::string& file) {
  train::Draw drawn;
  const train::Objective o = pass(drawn);
  std::vector<float> levels;
  for (const perrin_coefficients& c : drawn.coefficients) levels.push_back(static_cast<float>(c.c_noise));
  const at::Tensor x = data::images(model_, batch_);
  const perrin_call call = model::evaluation_call(model_.experiment.seed, batch_.indices);
  std::vector<std::pair<std::string, at::Tensor>> tensors = {{"x", x},
                                                             {"z", model::encode_latent(model_, call, x)},
                                                             {"input", drawn.input},
                                                             {"c_noise", at::tensor(levels)},
                                                             {"target", drawn.target}};
  for (const model::ParameterGroup& group : model_.parameters.groups())
    for (const model::Parameter& p : group.parameters)
      if (p.tensor.scalar_type() == at::kFloat) tensors.emplace_back(p.name, p.tensor.detach());
  std::vector<store::TensorView> views;
  for (auto& [name, t] : tensors) {
    t = t.contiguous();
    views.push_back(
        {name, store::Dtype::f32, t.sizes().vec(), {static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()}});
  }
  store::write_safetensors(file, views, {});
  int64_t trained = 0;
  for (const std::string& kind : stage_.train) trained += model_.parameters.group(kind)->count();
  return {{"loss", o.total.item<double>()},
          {"gradient", model_.parameters.gradients().to(at::kDouble).norm().item<double>()},
          {"parameters", trained},
          {"captions", captions()}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: stage_bench EXPERIMENT STAGE THREADS < requests\n", 2;
  at::set_num_threads(std::stoi(argv[3]));
  model::tune_process();
  const config::Catalogue catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  static auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const config::Loaded loaded = config::load(argv[1], {}, catalogue);
  model::Model model(loaded, *registry);
  train::Losses losses(model, loaded, *registry);
  model.build_parameters(losses.trainable(loaded.experiment));
  Stage stage(model, losses, std::stoul(argv[2]));
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    std::cout << (request["do"] == "export" ? stage.write(request["file"]) : bench::timed(request["steps"], [&] { stage.step(); }))
              << std::endl;
  }
}
