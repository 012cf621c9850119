// Perrin's side of "are words followed?": what peer.py needs of a text-to-image experiment on captioned-shapes, and what it
// asks of a run's averaged weights. Reads one JSON object a line from stdin, answers one a line on stdout:
//   {"do": "data", "file": F, "count": N}                    the dataset's first N images and truths -> {"captions"}
//   {"do": "validation", "file": F, "count": N}              of the same: what the denoiser is shown and should say, and t
//   {"do": "loss", "checkpoint": C, "count": N}              of the same draws -> {"loss": [N], unweighted}
//   {"do": "samples", "checkpoint": C, "file": F, "count": N} one sample of each of the first N captions
//
// Usage: words_bench EXPERIMENT THREADS [KEY=VALUE...] < requests
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/config/load.hpp"
#include "host/loader/index.hpp"
#include "host/model/device.hpp"
#include "host/model/fields.hpp"
#include "host/model/latent.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"
#include "host/train/losses.hpp"
#include "host/train/objective/objective.hpp"

namespace {

using nlohmann::json;
using namespace perrin;

constexpr int64_t kBatch = 50;

using Named = std::vector<std::pair<std::string, at::Tensor>>;

void write(const std::string& file, Named tensors) {
  std::vector<store::TensorView> views;
  for (auto& [name, t] : tensors) {
    t = t.to(at::kFloat).contiguous();
    views.push_back(
        {name, store::Dtype::f32, t.sizes().vec(), {static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()}});
  }
  store::write_safetensors(file, views, {});
}

class Words {
 public:
  Words(model::Model& model, train::Losses& losses)
      : model_(model), losses_(losses), stage_(model.experiment.stages.front()) {}

  json answer(const json& request) {
    const at::NoGradGuard no_grad;
    if (request.contains("checkpoint")) {
      runs::load_averaged(request["checkpoint"].get<std::string>(), model_.parameters, model_.fitted());
      model_.parameters.bind_values();
    }
    count_ = request["count"];
    if (request["do"] == "data") return data(request["file"]);
    if (request["do"] == "samples") return samples(request["file"]);
    return losses(request.value("file", std::string()));
  }

 private:
  json data(const std::string& file) {
    std::map<std::string, std::vector<at::Tensor>> parts;
    json captions = json::array();
    data::for_each_samples(model_, count_, kBatch, [&](const data::Batch& batch, const perrin_call&) {
      for (size_t f = 0; f < batch.fields.size(); ++f) {
        const std::string name(services::view(model_.shapes.fields[f].spec.name));
        if (name != "caption") parts[name].push_back(batch.fields[f].to(at::kFloat));
        for (int64_t b = 0; name == "caption" && b < batch.fields[f].size(0); ++b)
          captions.push_back(static_cast<const char*>(batch.fields[f][b].const_data_ptr()));
      }
    });
    Named all;
    for (const auto& [name, tensors] : parts) all.emplace_back(name, at::cat(tensors));
    write(file, all);
    return {{"captions", captions}};
  }

  json losses(const std::string& file) {
    std::vector<at::Tensor> input, target;
    std::vector<double> t, loss;
    data::for_each_samples(model_, count_, kBatch, [&](const data::Batch& batch, const perrin_call&) {
      train::Draw drawn;
      const train::Objective o = train::objective(model_, batch, losses_.stages[0], {stage_, 1, 0}, &drawn);
      input.push_back(drawn.input);
      target.push_back(drawn.target);
      for (const perrin_time& at : drawn.times) t.push_back(at.t);
      loss.insert(loss.end(), o.terms.front().per_sample.begin(), o.terms.front().per_sample.end());
    });
    if (!file.empty()) write(file, {{"input", at::cat(input)}, {"target", at::cat(target)}, {"t", at::tensor(t)}});
    return {{"loss", loss}};
  }

  json samples(const std::string& file) {
    std::vector<at::Tensor> all;
    data::for_each_samples(model_, count_, kBatch, [&](const data::Batch& batch, const perrin_call&) {
      sample::Request wanted;
      wanted.count = wanted.batch_size = static_cast<int64_t>(batch.indices.size());
      wanted.seed = model_.experiment.samples.seed + batch.indices.front();  // another noise for each batch, as in eval
      wanted.labels = data::label_values(model_, batch);
      const auto label = model::label_field(model_.shapes.fields);
      for (size_t f = 0; f < batch.fields.size(); ++f)
        if (f != label) wanted.given.fields[f] = batch.fields[f];
      all.push_back(sample::generate(model_, wanted));
    });
    write(file, {{"samples", at::cat(all)}});
    return {{"written", count_}};
  }

  model::Model& model_;
  train::Losses& losses_;
  const config::Stage& stage_;
  uint64_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) return std::cerr << "usage: words_bench EXPERIMENT THREADS [KEY=VALUE...] < requests\n", 2;
  at::set_num_threads(std::stoi(argv[2]));
  model::tune_process();
  const config::Catalogue catalogue = loader::Index::scan({{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  static auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  const config::Loaded loaded = config::load(argv[1], {argv + 3, argv + argc}, catalogue);
  model::Model model(loaded, *registry);
  train::Losses losses(model, loaded, *registry);
  model.build_parameters();
  model.parameters.bind_values();
  Words words(model, losses);
  for (std::string line; std::getline(std::cin, line);) std::cout << words.answer(json::parse(line)) << std::endl;
} catch (const std::exception& error) {
  return std::cerr << "words_bench: " << error.what() << "\n", 1;
}
