// An experiment's components, loaded from the build's own plugins as the program loads them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/train/losses.hpp"

namespace perrin::model {}
namespace perrin::data {}
namespace perrin::train {}
namespace perrin::runs {}
namespace perrin::test {

using namespace model;
using namespace data;
using namespace train;
using namespace runs;

// What the build's own plugins and the tests' offer, and the registry that loads them.
const config::Catalogue& catalogue();
loader::Registry& registry();

struct Composition {
  config::Loaded loaded;
  std::unique_ptr<Model> model;
  std::unique_ptr<Losses> losses;

  Model& operator*() const { return *model; }
  Model* operator->() const { return model.get(); }
  const config::Stage& stage(size_t i = 0) const { return loaded.experiment.stages[i]; }
  std::vector<LossTerm>& terms(size_t stage = 0) const { return losses->stages[stage]; }
};

// Points in the plane and an MLP of width 16, or images [1, 8, 8] and a U-Net, both with classes and two stages of
// steps.
inline constexpr const char* kPoints =
    "[dataset]\nuse='gaussian-mixture'\ncount=100\n[denoiser]\nuse='mlp'\nwidth=16\n";
inline constexpr const char* kImages =
    "[dataset]\nuse='gaussian-mixture'\nshape=[1,8,8]\n[denoiser]\nuse='unet'\nchannels=[8]\ngroups=4\n";

// `text`: the tables beside [experiment], [schedule] (linear) and [conditioner] (class-label, drop 0.5). Built: with
// parameters.
Composition compose(const std::string& text, const std::vector<std::string>& set = {}, bool conditioned = true);

// A folder of one test's own.
struct Scratch {
  Scratch();
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

// Its message and place and fix; empty if nothing was thrown.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

}  // namespace perrin::test
