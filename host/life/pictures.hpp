// The pictures that a run draws of itself: samples of what diffuses, reconstructions of a first stage.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/life/composition.hpp"
#include "host/record/sink.hpp"
#include "host/runs/folder.hpp"
#include "host/store/layout.hpp"

namespace perrin::life {

// Tags and steps of pictures.
using Drawn = std::set<std::pair<std::string, int64_t>>;

// What the run's stages will draw, with the sizes.
std::vector<store::ImageTag> picture_tags(const model::Model& model);

class Pictures {
 public:
  // All are borrowed. `drawn` are not drawn again; `stop` is asked now and then.
  Pictures(model::Model& model, const runs::Folder& folder, record::Sink& sink, Drawn drawn, std::function<bool()> stop)
      : model_(model), folder_(folder), sink_(sink), drawn_(std::move(drawn)), stop_(std::move(stop)) {}

  // The picture of a stage at this step, if it has one, of the weights as they are bound. False where it was stopped.
  bool draw(const config::Stage& stage, int64_t step);

  // The file of the newest; empty: none.
  const std::filesystem::path& newest() const { return newest_; }

 private:
  bool draw_samples(int64_t step);
  bool keep(const char* tag, int64_t step, const at::Tensor& samples);

  model::Model& model_;
  const runs::Folder& folder_;
  record::Sink& sink_;
  Drawn drawn_;
  std::function<bool()> stop_;
  std::filesystem::path newest_;
};

}  // namespace perrin::life
