// What captioned-shapes and moving-shapes share: their keys, their fields and how samples are read.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "captions.hpp"
#include "shape_layout.hpp"
#include "transform.hpp"

namespace perrin::datasets {

// A truth about a sample, which is a field of this name.
struct Truth {
  const char* name;
  uint64_t n_classes;
};

// What one sample is, beside its pixels.
struct Description {
  Look look;
  uint64_t own;  // of the truth that the other dataset lacks
  std::string caption;
};

// A dataset is this class with a truth of its own, `static constexpr Truth own`, and
//   Description sample(Draws& draws, uint8_t* image) const;
// which is a function of what it draws alone, so that a sample is one of (seed, split, index).
template <class Dataset>
class ShapeDataset {
 public:
  static std::vector<Key> keys() {
    return {Key::integer("size", "32", "height and width of the image").min(32).max(1024).unit("pixels"),
            Key::integer("samples", "65536", "number of samples").min(1).unit("samples"),
            Key::string("split", "\"train\"",
                        "drawn independently of each other, so that sharp images, being few, may be in both")
                .choices({"train", "test"}),
            Key::integer("seed", "0", "seed of the samples").min(0),
            Key::boolean("antialias", "true",
                         "true: pixels on an edge are mixed by the area covered, and objects lie anywhere; false: only "
                         "exact colours, and objects lie on whole pixels"),
            Key::integer("max_count", "3", "most objects in an image").min(1).max(3),
            Key::string("labels", "\"all\"",
                        "which truths are fields: all, the shape first, or one, to be the class of losses and "
                        "classifiers; object is 8 times the shape plus the colour, and not among all")
                .choices({"all", "shape", "colour", "size", Dataset::own.name, "count", "background", "object"}),
            CaptionField::key()};
  }

  // shape: of the field "image"
  ShapeDataset(const Config& config, std::initializer_list<int64_t> shape)
      : side_(config.integer("size")),
        antialias_(config.boolean("antialias")),
        max_count_(static_cast<uint64_t>(config.integer("max_count"))),
        count_(static_cast<uint64_t>(config.integer("samples"))),
        stream_{static_cast<uint64_t>(config.integer("seed")),
                PERRIN_PURPOSE_PLUGIN + (config.string("split") == "test" ? 1 : 0), 0},
        caption_(config) {
    fields_.push_back(field(spec("image", PERRIN_UINT8, shape), 2.0 / 255, -1));
    for (int64_t n : shape) image_bytes_ *= static_cast<uint64_t>(n);
    const std::array<Truth, 7> truths = {{{"shape", shape_names.size()},
                                          {"colour", shape_colours.size()},
                                          {"size", shape_sizes.size()},
                                          Dataset::own,
                                          {"count", max_count_},
                                          {"background", shape_backgrounds.size()},
                                          {"object", shape_names.size() * shape_colours.size()}}};
    const std::string labels = config.string("labels");
    for (size_t t = 0; t < truths.size(); ++t) {
      if (labels == "all" ? t + 1 == truths.size() : labels != truths[t].name) continue;
      fields_.push_back(field(spec(truths[t].name, PERRIN_INT64, {}), 1, 0, truths[t].n_classes));
      told_.push_back(t);
    }
    fields_.push_back(caption_.describe());
  }

  const std::vector<perrin_field>& fields() const { return fields_; }
  uint64_t count() const { return count_; }
  void identity(const Identity&) const {}

  void read(uint64_t n, const uint64_t* indices, void* const* buffers) const {
    for (uint64_t i = 0; i < n; ++i) {
      check_index(indices[i], count_);
      Draws draws(stream_, indices[i]);
      const Description told =
          static_cast<const Dataset*>(this)->sample(draws, static_cast<uint8_t*>(buffers[0]) + i * image_bytes_);
      const Look& l = told.look;
      const std::array<uint64_t, 7> truths = {
          l.shape, l.colour, l.size, told.own, l.count - 1, l.background, l.shape * shape_colours.size() + l.colour};
      for (size_t f = 0; f < told_.size(); ++f)
        static_cast<int64_t*>(buffers[1 + f])[i] = static_cast<int64_t>(truths[told_[f]]);
      caption_.put(told.caption, i, buffers[1 + told_.size()]);
    }
  }

 protected:
  Look draw_look(Draws& draws) const {
    return {draws.below(shape_names.size()), draws.below(shape_colours.size()), draws.below(shape_sizes.size()),
            1 + draws.below(max_count_), draws.below(shape_backgrounds.size())};
  }

  int64_t side_;
  bool antialias_;

 private:
  uint64_t max_count_, count_;
  perrin_stream stream_;
  CaptionField caption_;
  uint64_t image_bytes_ = 1;
  std::vector<perrin_field> fields_;
  std::vector<size_t> told_;  // the truths that are fields
};

}  // namespace perrin::datasets
