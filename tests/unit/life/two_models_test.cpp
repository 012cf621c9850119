// Two models in one process, with seeds, data folders and logs of their own: one trains while the other samples, from
// two threads, and each gets the bits that it gets alone.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "host/data/pipeline.hpp"
#include "host/sample/generate.hpp"
#include "host/services/host.hpp"
#include "host/store/png.hpp"
#include "host/train/objective/objective.hpp"
#include "host/train/optimizer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

const std::string kTables =
    "[dataset]\nuse='image-folder'\nfolder='data'\nlabels='none'\nsize=8\n[denoiser]\nuse='unet'\nchannels=[8]\ngroups="
    "4\n"
    "[schedule]\nuse='cosine'\n[[stage]]\nsteps=40\nbatch_size=4\noptimizer={use='adamw',lr=1e-2}\n[sampler]\nsteps="
    "6\n";

// A folder "data" of pictures of one grey, and what is read beside them.
class Data {
 public:
  explicit Data(uint8_t grey) {
    std::filesystem::create_directories(folder.path / "data");
    for (int i = 0; i < 6; ++i) {
      const std::vector<uint8_t> pixels(8 * 8 * 3, static_cast<uint8_t>(grey + i));
      store::write_png(folder.path / "data" / (std::to_string(i) + ".png"), {8, 8, 3, pixels});
    }
  }
  Scratch folder;
};

// One model and what it is offered, from its experiment to its end.
struct Life {
  Life(const Data& data, uint64_t seed)
      : loaded(config::load_text("[experiment]\nname='t'\nseed=" + std::to_string(seed) + "\n" + kTables, "t.toml", {},
                                 catalogue())) {
    services::Hooks hooks;
    hooks.data_folders = {data.folder.path};
    session = std::make_shared<services::Session>(std::move(hooks));
    model = std::make_unique<Model>(loaded, registry(), nullptr, session);
    losses = std::make_unique<Losses>(*model, loaded, registry());
    model->build_parameters(losses->trainable(loaded.experiment));
  }

  at::Tensor trained() {
    const config::Stage& stage = loaded.experiment.stages[0];
    model->parameters.train_only({"denoiser"});
    Optimizer optimizer(model->parameters, stage);
    Pipeline pipeline(model->dataset, loaded.experiment.seed, 0, stage.batch_size, 1);
    for (int64_t step = 0; step < stage.steps; ++step) {
      model->parameters.zero_gradients();
      objective(*model, pipeline.next(), losses->stages[0], {stage, step + 1, step}).total.backward();
      optimizer.update(step + 1);
    }
    return model->parameters.values().clone();
  }

  at::Tensor sampled() {
    sample::Request request;
    request.count = request.batch_size = 8;
    request.seed = loaded.experiment.seed;
    at::Tensor all = sample::generate(*model, request);
    for (int again = 0; again < 5; ++again) all = all.add(sample::generate(*model, request));
    return all;
  }

  config::Loaded loaded;
  std::shared_ptr<services::Session> session;
  std::unique_ptr<Model> model;
  std::unique_ptr<Losses> losses;
};

TEST(TwoModels, GetTheBitsThatEachGetsAlone) {
  const Data dark(10), light(200);
  const at::Tensor weights = Life(dark, 3).trained(), pictures = Life(light, 8).sampled();
  EXPECT_FALSE(weights.equal(Life(light, 3).trained())) << "the folder \"data\" is the session's own";
  for (int again = 0; again < 3; ++again) {
    at::Tensor beside_weights, beside_pictures;
    std::barrier begin(2);
    std::thread trains([&] {
      begin.arrive_and_wait();
      beside_weights = Life(dark, 3).trained();  // made beside the other, too
    });
    begin.arrive_and_wait();
    Life other(light, 8);
    beside_pictures = other.sampled();
    trains.join();
    EXPECT_TRUE(weights.equal(beside_weights));
    EXPECT_TRUE(pictures.equal(beside_pictures));
    EXPECT_EQ(other.session->artifacts().front().path, light.folder.path / "data");
  }
}

}  // namespace
}  // namespace perrin::test
