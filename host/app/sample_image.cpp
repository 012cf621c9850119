#include "host/app/sample_image.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/from_blob.h>

#include <iostream>

#include "host/base/error.hpp"
#include "host/images/image.hpp"
#include "host/images/resample.hpp"
#include "host/model/call.hpp"
#include "host/model/latent.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

std::string size_text(const images::Pixels& picture) {
  return std::to_string(picture.width) + " x " + std::to_string(picture.height);
}

// The pixels that the run's dataset would see in the file, before it scales them.
images::Pixels read(const model::Model& model, const std::string& option, const std::string& file, int64_t channels) {
  if (model.shapes.x.rank != 3) throw Error("the run makes no images", option, "leave the option out", Exit::usage);
  if (channels != 1 && channels != 3)
    throw Error("the run's images have " + std::to_string(channels) + " channels, and files have 1 or 3", option,
                "leave the option out", Exit::usage);
  return images::decode_file(file, static_cast<uint32_t>(channels));
}

// A choice that the dataset offers by a key of this name.
std::string chosen(const model::Model& model, const char* key, const char* otherwise) {
  const config::Value* value = model.experiment.dataset.find(key);
  const std::string* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? otherwise : *text;
}

// Of the run's size, as its dataset scales and cuts (perrin/host/image.h), which it says.
images::Pixels fitted(const model::Model& model, images::Pixels picture, const std::string& file) {
  const auto height = static_cast<uint64_t>(model.shapes.x.sizes[1]),
             width = static_cast<uint64_t>(model.shapes.x.sizes[2]);
  if (picture.height == height && picture.width == width) return picture;
  const bool stretched = chosen(model, "fit", "crop") == "stretch";
  const std::string filter = chosen(model, "filter", "lanczos");
  perrin_image_window window = perrin_image_cover(picture.height, picture.width, height, width);
  if (stretched) window = {sizeof window, 0, height, width, 0, 0, height, width};
  images::Pixels result{height, width, picture.channels,
                        std::make_unique<uint8_t[]>(height * width * picture.channels)};
  images::resample(picture.view(), images::is_filter(filter) ? filter : "lanczos", window, result.values.get());
  std::cerr << file << ": " << size_text(picture) << " pixels, " << (stretched ? "stretched" : "scaled and cropped")
            << " to the run's " << size_text(result) << "\n";
  return result;
}

// [1, channels, height, width] in [0, 1].
at::Tensor tensor_of(const images::Pixels& picture) {
  const auto n = [](uint64_t size) { return static_cast<int64_t>(size); };
  const at::Tensor pixels =
      at::from_blob(picture.values.get(), {n(picture.height), n(picture.width), n(picture.channels)}, at::kByte);
  return pixels.to(at::kFloat).div(255).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

// An option's picture in [0, 1], and the size that it has in its file.
struct Given {
  at::Tensor pixels;
  std::string size;
};

Given given(const model::Model& model, const Values& values, const char* option, int64_t channels, bool fit) {
  const std::string file = values[option].as<std::string>();
  images::Pixels picture = read(model, std::string("--") + option, file, channels);
  std::string size = size_text(picture);
  if (fit) picture = fitted(model, std::move(picture), file);
  return {tensor_of(picture), std::move(size)};
}

at::Tensor in_range(const at::Tensor& pixels) { return pixels.mul(2).sub(1); }

at::Tensor repeated(const at::Tensor& one, int64_t count) {
  std::vector<int64_t> sizes = one.sizes().vec();
  sizes[0] = count;
  return one.expand(sizes).contiguous();
}

void check_looked_at(const model::Model& model) {
  if (model.shapes.conditioning && model.shapes.conditioning->slots & PERRIN_SLOT_CONCAT) return;
  throw Error("no conditioner of the run looks at images", "--image",
              "name a run with the conditioner \"image\", or start from the picture with --init", Exit::usage);
}

// The dataset's field "image", as the dataset would give it: [1, C, h, w] in its dtype.
at::Tensor shown_image(const model::Model& model, const at::Tensor& image) {
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

Pictures read_pictures(const model::Model& model, const Values& values) {
  check_options(values);
  const int64_t channels = model.shapes.x.sizes[0];
  const bool masked = values.count("mask") > 0;
  Pictures pictures;
  Given known;
  if (values.count("image")) {
    check_looked_at(model);
    known = given(model, values, "image", channels, masked);
    pictures.shown = shown_image(model, known.pixels);
  }
  if (values.count("init")) {
    known = given(model, values, "init", channels, true);
    pictures.init = in_range(known.pixels);
  }
  if (!masked) return pictures;
  const Given mask = given(model, values, "mask", 1, true);
  if (mask.size != known.size)
    throw Error("the mask is " + mask.size + " pixels, and its image " + known.size, values["mask"].as<std::string>(),
                "make a mask of the image's size", Exit::usage);
  pictures.mask = mask.pixels.gt(0.5).to(at::kFloat);
  pictures.known = in_range(known.pixels);
  return pictures;
}

void start_from_image(model::Model& model, const Pictures& pictures, std::optional<double> strength,
                      sample::Request& request) {
  if (!pictures.init.defined()) return;
  const std::vector<uint64_t> first = {0};
  const perrin_call call = model::evaluation_call(request.seed, first);
  const at::Tensor z = model::encode_latent(model, call, pictures.init).to(at::kCPU);
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

void show_image(const model::Model& model, const Pictures& pictures, sample::Request& request) {
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
