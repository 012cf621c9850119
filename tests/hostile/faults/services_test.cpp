// Every service of the host fails once in turn, in every kind of run: an Error names the plugin that was served, no
// tensor is lost, and the next run gets the bits that it got before.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "host/config/load.hpp"
#include "host/data/pipeline.hpp"
#include "host/data/samples.hpp"
#include "host/loader/index.hpp"
#include "host/model/fields.hpp"
#include "host/model/given_weights.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"
#include "host/services/session.hpp"
#include "host/services/tensor.hpp"
#include "host/store/png.hpp"
#include "host/train/losses.hpp"
#include "host/train/objective/objective.hpp"
#include "host/train/optimizer.hpp"
#include "tests/hostile/faults/faulty_host.hpp"

namespace perrin::test {
namespace {

namespace fs = std::filesystem;

const config::Catalogue& catalogue() {
  static const config::Catalogue catalogue =
      loader::Index::scan({{PERRIN_PLUGINS, PERRIN_LIAR, PERRIN_ASKER}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  return catalogue;
}

// Beside the experiments: a folder of pictures.
const fs::path& scratch() {
  static const fs::path folder = [] {
    const fs::path path = fs::temp_directory_path() / ("perrin-faults-" + std::to_string(::getpid()));
    fs::create_directories(path / "data");
    for (int i = 0; i < 4; ++i)
      store::write_png(path / "data" / (std::to_string(i) + ".png"),
                       {12, 12, 3, std::vector<uint8_t>(12 * 12 * 3, static_cast<uint8_t>(40 * i))});
    return path;
  }();
  return folder;
}

constexpr int64_t kMost = 60;  // faults of one service in one run, spread over its calls

constexpr const char* kStage = "[[stage]]\nsteps=2\nbatch_size=2\noptimizer={use='adamw',lr=1e-3}\n";
const std::string kDiffusion =
    "[schedule]\nuse='cosine'\n[parameterization]\nuse='v'\n[sampler]\nuse='heun'\nsteps=2\n";

// Together they ask for every service that can fail.
const std::map<std::string, std::string> kRuns = {
    {"points",
     "[dataset]\nuse='gaussian-mixture'\n[conditioner]\nuse='class-label'\nwidth=4\n[denoiser]\nuse='mlp'\nwidth=8\n"
     "[timesteps]\nuse='importance'\n[guidance]\nuse='classifier-free'\n" +
         kDiffusion + kStage},
    {"plain operators", "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.liar'\n[encoder]\nuse='test.liar'\n" +
                            kDiffusion + kStage + "[[stage.loss]]\nuse='test.liar'\n"},
    {"everything else", "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='mlp'\nwidth=8\n" + kDiffusion + kStage +
                            "[[stage.loss]]\nuse='test.asker'\nfile='" PERRIN_CLASSIFIER "'\n"},
    {"pictures",
     "[dataset]\nuse='image-folder'\nfolder='data'\nlabels='none'\nsize=8\n[denoiser]\nuse='unet'\nchannels=[8]\n"
     "groups=4\ngradient_checkpointing=true\n" +
         kDiffusion + kStage},
    {"a first stage",
     "[dataset]\nuse='captioned-shapes'\nsamples=8\n[encoder]\nuse='autoencoder-kl'\nchannels=[8,8]\ngroups=4\n"
     "blocks=1\nmid_attention=false\n" +
         std::string(kStage) +
         "train=['encoder']\n[[stage.loss]]\nuse='l1'\n[[stage.loss]]\nuse='kl'\n"
         "[[stage.loss]]\nuse='perceptual'\nweights='" PERRIN_CLASSIFIER "'\n"
         "[[stage.loss]]\nuse='adversarial'\nchannels=4\nlayers=2\nnorm='none'\nr1=1.0\n"},
    {"words",
     "[dataset]\nuse='captioned-shapes'\nsamples=8\n[conditioner]\nuse='clip-text'\nentries=0\nwidth=64\nlayers="
     "2\nheads=2\n"
     "max_tokens=24\noutput='vector'\nprojection=64\nweights='" PERRIN_TOWER
     "'\n[denoiser]\nuse='dit'\nwidth=16\ndepth=1\nheads=2\npatch=8\n" +
         kDiffusion + kStage},
};

config::Loaded load(const std::string& tables) {
  return config::load_text("[experiment]\nname='t'\nseed=5\nloader_threads=0\n" + tables, "t.toml", {}, catalogue());
}

// Two steps, and two samples of what diffuses. What a rerun repeats bit for bit.
std::vector<at::Tensor> live(const config::Loaded& loaded) {
  services::Hooks hooks;
  hooks.data_folders = {scratch()};
  hooks.component = services::offers_of(faulty_registry(), {{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX});
  auto session = std::make_shared<services::Session>(std::move(hooks));
  model::Model model(loaded, faulty_registry(), nullptr, session);
  train::Losses losses(model, loaded, faulty_registry());
  model.build_parameters(losses.trainable(loaded.experiment));
  model::give_weights(model, loaded, losses.trainable(loaded.experiment));
  const config::Stage& stage = loaded.experiment.stages[0];
  model.parameters.train_only(train::trained_groups(model, losses, loaded, 0));
  train::Optimizer optimizer(model.parameters, stage);
  data::Pipeline pipeline(model.dataset, 5, 0, stage.batch_size, 0);
  for (int64_t step = 0; step < stage.steps; ++step) {
    model.parameters.zero_gradients();
    train::Objective o = train::objective(model, pipeline.next(), losses.stages[0], {stage, step + 1, step});
    o.total.backward();
    optimizer.update(step + 1);
  }
  std::vector<at::Tensor> all = {model.parameters.values().clone()};
  if (!model.diffuses()) return all;
  const data::Batch batch = data::read_samples(model, 0, 2);
  sample::Request request;
  request.count = request.batch_size = 2;
  request.labels = data::label_values(model, batch);
  for (size_t f = 0; f < batch.fields.size(); ++f)
    if (f != model::label_field(model.shapes.fields)) request.given.fields[f] = batch.fields[f];
  all.push_back(sample::generate(model, request));
  return all;
}

// The message; empty if nothing failed.
std::string told(const config::Loaded& loaded) {
  try {
    live(loaded);
    return {};
  } catch (const Error& error) {
    return error.message();
  } catch (const std::exception& error) {
    return std::string("not an Error: ") + error.what();
  }
}

bool names_a_component(const std::string& message, const config::Loaded& loaded) {
  for (const config::Component* component : loaded.experiment.components())
    if (message.find(component->use) != std::string::npos) return true;
  return message.find("resnet-small") != std::string::npos;  // what a loss or a judge opens
}

bool equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.equal(y); });
}

// Adds to `reached` the services that the run asked for.
void fail_each(const std::string& run, std::set<std::string>& reached) {
  const config::Loaded loaded = load(kRuns.at(run));
  live(loaded);  // what is made once for the process
  inject({});
  const std::vector<at::Tensor> whole = live(loaded);
  const std::map<std::string, int64_t> counts = calls();
  for (const auto& [service, n] : counts) reached.insert(service);
  const int64_t before = services::live_tensors();
  int faults = 0, survived = 0;
  for (const auto& [service, n] : counts)
    for (int64_t call = 1; call <= n; call += std::max<int64_t>(1, n / kMost)) {
      ++faults;
      inject({service, call});
      const std::string message = told(loaded),
                        who = service + ", call " + std::to_string(call) + " of " + std::to_string(n);
      EXPECT_EQ(services::live_tensors(), before) << who << ": " << message;
      if (message.empty()) {  // a service that a plugin can do without
        ++survived;
        continue;
      }
      EXPECT_EQ(message.find("not an Error"), std::string::npos) << who << ": " << message;
      EXPECT_NE(message.find("injected fault"), std::string::npos) << who << ": " << message;
      EXPECT_TRUE(names_a_component(message, loaded)) << who << ": " << message;
    }
  inject({});
  EXPECT_TRUE(equal(whole, live(loaded))) << "the host lives";
  std::cout << run << ": " << counts.size() << " services, " << faults << " faults, " << survived << " of no effect\n";
}

TEST(Faults, EachServiceFailsOnceInTurn) {
  std::set<std::string> reached;
  for (const auto& [run, tables] : kRuns) {
    SCOPED_TRACE(run);
    fail_each(run, reached);
  }
  std::string missing;
  for (const std::string& service : wrapped_services())
    if (!reached.contains(service)) missing += " " + service;
  EXPECT_EQ(missing, "") << "no run asks for them";
}

}  // namespace
}  // namespace perrin::test
