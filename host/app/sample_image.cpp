#include "host/app/sample_image.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/from_blob.h>

#include "host/base/error.hpp"
#include "host/run/latent.hpp"
#include "host/run/terms.hpp"
#include "host/store/png.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

std::string size_text(int64_t channels, int64_t height, int64_t width) {
  return std::to_string(channels) + " x " + std::to_string(height) + " x " + std::to_string(width);
}

// [1, channels, height, width] in [0, 1], of whichever size it is.
at::Tensor pixels_of(const run::Model& model, const std::string& option, const std::string& file) {
  if (model.shapes.x.rank != 3) throw Error("the run makes no images", option, "leave the option out", Exit::usage);
  const store::Image image = store::read_png(file);
  const at::Tensor pixels = at::from_blob(const_cast<uint8_t*>(image.pixels.data()),
                                          {image.height, image.width, image.channels}, at::kByte);
  return pixels.to(at::kFloat).div(255).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

// [1, channels, H, W] in [0, 1], of the model's size.
at::Tensor image_file(const run::Model& model, const std::string& option, const std::string& file, int64_t channels) {
  const perrin_spec& x = model.shapes.x;
  const at::Tensor image = pixels_of(model, option, file);
  if (image.size(1) != channels || image.size(2) != x.sizes[1] || image.size(3) != x.sizes[2])
    throw Error("the image is " + size_text(image.size(1), image.size(2), image.size(3)) +
                    " (channels, height, width), and " + size_text(channels, x.sizes[1], x.sizes[2]) + " is needed",
                file, "resize it to the run's images", Exit::usage);
  return image;
}

// --init, or --image: [1, C, H, W] in [-1, 1].
at::Tensor known_image(const run::Model& model, const Values& values) {
  const std::string option = values.count("init") ? "init" : "image";
  return image_file(model, "--" + option, values[option].as<std::string>(), model.shapes.x.sizes[0]).mul(2).sub(1);
}

// 1 where white: those pixels are made anew.
at::Tensor mask_image(const run::Model& model, const Values& values) {
  return image_file(model, "--mask", values["mask"].as<std::string>(), 1).gt(0.5).to(at::kFloat);
}

at::Tensor repeated(const at::Tensor& one, int64_t count) {
  std::vector<int64_t> sizes = one.sizes().vec();
  sizes[0] = count;
  return one.expand(sizes).contiguous();
}

// The dataset's field "image", as the dataset would give it: [1, C, h, w] in its dtype.
at::Tensor shown_image(const run::Model& model, const std::string& file) {
  const perrin_field& field = model.shapes.fields[model.shapes.image];
  const at::Tensor image = pixels_of(model, "--image", file);
  if (image.size(1) != model.shapes.x.sizes[0])
    throw Error("the image has " + std::to_string(image.size(1)) + " channels, and the run's have " +
                    std::to_string(model.shapes.x.sizes[0]),
                file, "save it as grey or as RGB, like the run's images", Exit::usage);
  const at::Tensor raw = (image * 2 - 1 - field.offset) / field.scale;
  return field.spec.dtype == PERRIN_UINT8 ? raw.round().to(at::kByte) : raw;
}

}  // namespace

void start_from_image(run::Model& model, const Values& values, sample::Request& request) {
  if (!values.count("init")) {
    const bool shown = values.count("mask") && values.count("image");
    for (const char* option : {"mask", "strength"})
      if (values.count(option) && !(shown && std::string(option) == "mask"))
        throw Error(std::string("--") + option + " needs an image", "",
                    "give --init FILE too, or with a mask --image FILE to a run that learnt inpainting", Exit::usage);
    return;
  }
  const std::vector<uint64_t> first = {0};
  const perrin_call call = run::evaluation_call(request.seed, first);
  const at::Tensor z = run::encode_latent(model, call, known_image(model, values)).to(at::kCPU);
  request.init = repeated(z, request.count);
  request.strength = values.count("strength") ? values["strength"].as<double>() : values.count("mask") ? 1.0 : 0.75;
  if (!(request.strength > 0 && request.strength <= 1))
    throw Error("--strength is above 0 and at most 1", "", "0.3 stays near the image, 0.9 keeps little of it",
                Exit::usage);
  if (!values.count("mask")) return;
  // A cell of the latent is free where any of its pixels is.
  const at::Tensor free = std::get<0>(at::adaptive_max_pool2d(mask_image(model, values), {z.size(2), z.size(3)}));
  request.mask = repeated(free, request.count);
}

void show_image(const run::Model& model, const Values& values, sample::Request& request) {
  if (!values.count("image")) return;
  if (!model.shapes.conditioning || !(model.shapes.conditioning->slots & PERRIN_SLOT_CONCAT))
    throw Error("no conditioner of the run looks at images", "--image",
                "name a run with the conditioner \"image\", or start from the picture with --init", Exit::usage);
  const at::Tensor image = repeated(shown_image(model, values["image"].as<std::string>()), request.count);
  for (sample::FieldValues* told : {&request.given, &request.negative, &request.toward}) {
    if (told != &request.given && told->empty()) continue;
    told->fields[model.shapes.image] = image;
    if (values.count("mask")) told->extra["mask"] = repeated(mask_image(model, values), request.count);
  }
}

at::Tensor keep_known(const run::Model& model, const Values& values, const at::Tensor& samples) {
  if (!values.count("mask")) return samples;
  const at::Tensor known = known_image(model, values);
  return (known + mask_image(model, values) * (samples - known)).contiguous();
}

}  // namespace perrin::app
