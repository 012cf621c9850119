#include "host/app/sample_request.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/from_blob.h>

#include <fstream>

#include "host/base/error.hpp"
#include "host/run/latent.hpp"
#include "host/run/signals.hpp"
#include "host/run/terms.hpp"
#include "host/store/png.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

std::vector<std::string> prompts_of(const Values& values) {
  std::vector<std::string> prompts;
  if (values.count("prompt")) prompts = values["prompt"].as<std::vector<std::string>>();
  if (!values.count("prompts")) return prompts;
  const std::string file = values["prompts"].as<std::string>();
  std::ifstream in(file);
  if (!in) throw Error("cannot read the prompts", file, "give a text file with one prompt a line", Exit::usage);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    prompts.push_back(line);
  }
  if (prompts.empty()) throw Error("the file holds no prompt", file, "write one prompt a line", Exit::usage);
  return prompts;
}

std::string size_text(int64_t channels, int64_t height, int64_t width) {
  return std::to_string(channels) + " x " + std::to_string(height) + " x " + std::to_string(width);
}

// [1, channels, H, W] in [0, 1], of the model's size.
at::Tensor image_file(const run::Model& model, const std::string& option, const std::string& file, int64_t channels) {
  const perrin_spec& x = model.shapes.x;
  if (x.rank != 3) throw Error("the run makes no images", option, "leave the option out", Exit::usage);
  const store::Image image = store::read_png(file);
  if (image.height != x.sizes[1] || image.width != x.sizes[2] || image.channels != channels)
    throw Error("the image is " + size_text(image.channels, image.height, image.width) + " (channels, height, width), and " +
                    size_text(channels, x.sizes[1], x.sizes[2]) + " is needed",
                file, "resize it to the run's images", Exit::usage);
  const at::Tensor pixels = at::from_blob(const_cast<uint8_t*>(image.pixels.data()),
                                          {image.height, image.width, image.channels}, at::kByte);
  return pixels.to(at::kFloat).div(255).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

at::Tensor init_image(const run::Model& model, const Values& values) {
  return image_file(model, "--init", values["init"].as<std::string>(), model.shapes.x.sizes[0]).mul(2).sub(1);
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

void start_from_image(run::Model& model, const Values& values, sample::Request& request) {
  if (!values.count("init")) {
    for (const char* option : {"mask", "strength"})
      if (values.count(option))
        throw Error(std::string("--") + option + " needs an image", "", "give --init FILE too", Exit::usage);
    return;
  }
  const std::vector<uint64_t> first = {0};
  const perrin_call call = run::evaluation_call(request.seed, first);
  const at::Tensor z = run::encode_latent(model, call, init_image(model, values)).to(at::kCPU);
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

// A strip from one prompt to the next, or from one seed's noise to another's.
void interpolate(run::Model& model, const std::vector<std::string>& prompts, sample::Request& request) {
  const int64_t n = request.count;
  if (n < 2) throw Error("--interpolate needs two images or more", "--count", "raise it", Exit::usage);
  for (int64_t i = 0; i < n; ++i) request.way.push_back(static_cast<double>(i) / static_cast<double>(n - 1));
  request.equal_every = 1;
  request.toward_seed = request.seed + 1;
  if (!request.labels.empty()) request.labels.assign(static_cast<size_t>(n), request.labels.front());
  if (prompts.empty()) return;
  if (prompts.size() > 2)
    throw Error("--interpolate goes between two prompts, or two seeds with one", "", "give one or two", Exit::usage);
  const auto all = [&](const std::string& prompt) {
    return sample::prompt_fields(model, std::vector<std::string>(static_cast<size_t>(n), prompt));
  };
  request.given = all(prompts.front());
  if (prompts.size() == 2) request.toward = all(prompts.back());
}

}  // namespace

void add_request_options(options::options_description& description) {
  const auto text = [] { return options::value<std::string>(); };
  description.add_options()("prompt", options::value<std::vector<std::string>>()->composing(),
                            "what to show, in words; \"(red:1.3)\" stresses; repeatable: one a row, at equal noise")(
      "prompts", text(), "a file with one prompt a line")("negative", text(), "what to keep away from, in words")(
      "init", text(), "a PNG of the run's size to start from")(
      "strength", options::value<double>(), "how much of --init is made anew, above 0, at most 1 (default: 0.75)")(
      "mask", text(), "a grey PNG: white is made anew, black stays as in --init")(
      "interpolate", "a strip from one prompt to another, or from one seed's noise to the next one's");
}

sample::Request make_request(run::Model& model, const Values& values) {
  const config::Samples& s = model.experiment.samples;
  const std::vector<std::string> prompts = prompts_of(values);
  sample::Request request;
  request.count = values.count("count") || prompts.empty() || values.count("interpolate")
                      ? s.count
                      : static_cast<int64_t>(prompts.size()) * s.columns;
  request.batch_size = s.batch_size;
  request.seed = s.seed;
  request.bf16 = s.precision == "bf16";
  request.cancelled = [] { return run::stop_signal() != 0; };
  const bool chosen = values.count("class") > 0;
  request.labels = sample::grid_labels(model, request.count, s.columns,
                                       chosen ? std::optional(values["class"].as<int64_t>()) : std::nullopt);
  if (prompts.empty()) {
    request.given = sample::grid_conditions(model, s, request.count);
  } else {
    std::vector<std::string> each;
    for (int64_t i = 0; i < request.count; ++i)
      each.push_back(prompts[static_cast<size_t>(i / s.columns) % prompts.size()]);
    request.given = sample::prompt_fields(model, each);
    request.equal_every = s.columns;
  }
  if (values.count("negative"))
    request.negative = sample::prompt_fields(
        model, std::vector<std::string>(static_cast<size_t>(request.count), values["negative"].as<std::string>()));
  if (values.count("interpolate")) interpolate(model, prompts, request);
  start_from_image(model, values, request);
  return request;
}

at::Tensor keep_known(const run::Model& model, const Values& values, const at::Tensor& samples) {
  if (!values.count("mask")) return samples;
  const at::Tensor known = init_image(model, values);
  return (known + mask_image(model, values) * (samples - known)).contiguous();
}

}  // namespace perrin::app
