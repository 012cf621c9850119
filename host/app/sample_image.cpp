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

// The image itself, which has to be [1, channels, H, W] of the model's size.
at::Tensor whole(const run::Model& model, const at::Tensor& image, const std::string& file, int64_t channels) {
  const perrin_spec& x = model.shapes.x;
  if (image.size(1) != channels || image.size(2) != x.sizes[1] || image.size(3) != x.sizes[2])
    throw Error("the image is " + size_text(image.size(1), image.size(2), image.size(3)) +
                    " (channels, height, width), and " + size_text(channels, x.sizes[1], x.sizes[2]) + " is needed",
                file, "resize it to the run's images", Exit::usage);
  return image;
}

at::Tensor in_range(const at::Tensor& pixels) { return pixels.mul(2).sub(1); }

at::Tensor repeated(const at::Tensor& one, int64_t count) {
  std::vector<int64_t> sizes = one.sizes().vec();
  sizes[0] = count;
  return one.expand(sizes).contiguous();
}

void check_looked_at(const run::Model& model) {
  if (model.shapes.conditioning && model.shapes.conditioning->slots & PERRIN_SLOT_CONCAT) return;
  throw Error("no conditioner of the run looks at images", "--image",
              "name a run with the conditioner \"image\", or start from the picture with --init", Exit::usage);
}

// The dataset's field "image", as the dataset would give it: [1, C, h, w] in its dtype.
at::Tensor shown_image(const run::Model& model, const at::Tensor& image, const std::string& file) {
  if (image.size(1) != model.shapes.x.sizes[0])
    throw Error("the image has " + std::to_string(image.size(1)) + " channels, and the run's have " +
                    std::to_string(model.shapes.x.sizes[0]),
                file, "save it as grey or as RGB, like the run's images", Exit::usage);
  const perrin_field& field = model.shapes.fields[model.shapes.image];
  const at::Tensor raw = (in_range(image) - field.offset) / field.scale;
  return field.spec.dtype == PERRIN_UINT8 ? raw.round().to(at::kByte) : raw;
}

// Options that say nothing without another one.
void check_options(const Values& values) {
  const bool init = values.count("init") > 0, shown = values.count("image") > 0;
  for (const auto& [option, served] : {std::pair("strength", init), std::pair("mask", init || shown)})
    if (values.count(option) && !served)
      throw Error(std::string("--") + option + " needs an image", "",
                  "give --init FILE too, or with a mask --image FILE to a run that learnt inpainting", Exit::usage);
}

}  // namespace

Pictures read_pictures(const run::Model& model, const Values& values) {
  check_options(values);
  Pictures pictures;
  const auto file = [&](const char* option) { return values[option].as<std::string>(); };
  const auto pixels = [&](const char* option) { return pixels_of(model, std::string("--") + option, file(option)); };
  const int64_t channels = model.shapes.x.sizes[0];
  if (values.count("init")) pictures.init = in_range(whole(model, pixels("init"), file("init"), channels));
  at::Tensor shown;
  if (values.count("image")) {
    check_looked_at(model);
    shown = pixels("image");
    pictures.shown = shown_image(model, shown, file("image"));
  }
  if (!values.count("mask")) return pictures;
  pictures.mask = whole(model, pixels("mask"), file("mask"), 1).gt(0.5).to(at::kFloat);
  pictures.known = pictures.init.defined() ? pictures.init : in_range(whole(model, shown, file("image"), channels));
  return pictures;
}

void start_from_image(run::Model& model, const Pictures& pictures, std::optional<double> strength,
                      sample::Request& request) {
  if (!pictures.init.defined()) return;
  const std::vector<uint64_t> first = {0};
  const perrin_call call = run::evaluation_call(request.seed, first);
  const at::Tensor z = run::encode_latent(model, call, pictures.init).to(at::kCPU);
  request.init = repeated(z, request.count);
  request.strength = strength.value_or(pictures.mask.defined() ? 1.0 : 0.75);
  if (!(request.strength > 0 && request.strength <= 1))
    throw Error("--strength is above 0 and at most 1", "", "0.3 stays near the image, 0.9 keeps little of it",
                Exit::usage);
  if (!pictures.mask.defined()) return;
  // A cell of the latent is free where any of its pixels is.
  const at::Tensor free = std::get<0>(at::adaptive_max_pool2d(pictures.mask, {z.size(2), z.size(3)}));
  request.mask = repeated(free, request.count);
}

void show_image(const run::Model& model, const Pictures& pictures, sample::Request& request) {
  if (!pictures.shown.defined()) return;
  const at::Tensor image = repeated(pictures.shown, request.count);
  for (sample::FieldValues* told : {&request.given, &request.negative, &request.toward}) {
    if (told != &request.given && told->empty()) continue;
    told->fields[model.shapes.image] = image;
    if (pictures.mask.defined()) told->extra["mask"] = repeated(pictures.mask, request.count);
  }
}

at::Tensor keep_known(const Pictures& pictures, const at::Tensor& samples) {
  if (!pictures.mask.defined()) return samples;
  return (pictures.known + pictures.mask * (samples - pictures.known)).contiguous();
}

}  // namespace perrin::app
