#include "host/app/sample_request.hpp"

#include <ATen/core/Tensor.h>

#include <iostream>

#include "host/app/prompts.hpp"
#include "host/base/error.hpp"
#include "host/life/signals.hpp"

namespace perrin::app {
namespace {

using Values = options::variables_map;

std::vector<std::string> prompts_of(const Values& values) {
  std::vector<std::string> prompts;
  if (values.count("prompt")) prompts = values["prompt"].as<std::vector<std::string>>();
  if (!values.count("prompts")) return prompts;
  for (std::string& prompt : read_prompts(values["prompts"].as<std::string>())) prompts.push_back(std::move(prompt));
  return prompts;
}

// A strip from one prompt to the next, or from one seed's noise to another's.
void interpolate(model::Model& model, const std::vector<std::string>& prompts, sample::Request& request) {
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

sample::Classes chosen_classes(const model::Model& model, const Values& values) {
  return sample::parse_classes(
      model, values.count("class") ? values["class"].as<std::vector<std::string>>() : std::vector<std::string>());
}

sample::Request make_request(model::Model& model, const Values& values, const sample::Classes& chosen,
                             const Pictures& pictures, const GivenTensors& tensors) {
  const config::Samples& s = model.experiment.samples;
  const std::vector<std::string> prompts = prompts_of(values);
  sample::Request request;
  request.count = values.count("count") || prompts.empty() || values.count("interpolate")
                      ? s.count
                      : static_cast<int64_t>(prompts.size()) * s.columns;
  request.count = tensors.count().value_or(request.count);
  request.start = tensors.start;
  request.conditions = tensors.conditions;
  request.batch_size = s.batch_size;
  request.seed = s.seed;
  request.bf16 = s.precision == "bf16";
  request.cancelled = [] { return life::stop_signal() != 0; };
  request.labels = sample::grid_labels(model, request.count, s.columns, chosen);
  if (prompts.empty()) {  // given conditions stand for all that conditioners would be told
    if (tensors.conditions.empty()) request.given = sample::grid_conditions(model, s, request.count);
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
  std::vector<std::string> all = prompts.empty() ? s.prompts : prompts;
  if (values.count("negative")) all.push_back(values["negative"].as<std::string>());
  for (const std::string& line : sample::cut_prompts(model, all)) std::cerr << line << "\n";
  for (sample::FieldValues* fields : {&request.given, &request.toward, &request.negative})
    if (fields == &request.given || !fields->empty()) sample::set_others(chosen, request.count, *fields);
  start_from_image(model, pictures,
                   values.count("strength") ? std::optional(values["strength"].as<double>()) : std::nullopt, request);
  show_image(model, pictures, request);
  return request;
}

}  // namespace perrin::app
