#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/app/commands.hpp"
#include "host/app/compare_picture.hpp"
#include "host/app/json_text.hpp"
#include "host/app/output.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/progress.hpp"
#include "host/console/table.hpp"
#include "host/console/terminal.hpp"
#include "host/life/signals.hpp"
#include "host/loader/index.hpp"
#include "host/model/device.hpp"
#include "host/runs/data_record.hpp"
#include "host/sample/classes.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/steps.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

// What every distance is measured to: the probability flow, down to the schedule's cleanest level, solved far beyond
// what a picture shows. Of the 1000 steps only the ends count.
constexpr int64_t kReferenceSteps = 1000;
const std::vector<std::string> kReference = {"sampler.spacing='trailing'", "sampler.rtol=1e-5", "sampler.atol=1e-6"};

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> items;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

std::vector<int64_t> numbers(const std::string& text) {
  std::vector<int64_t> values;
  for (const std::string& item : listed(text)) {
    char* end = nullptr;
    values.push_back(std::strtoll(item.c_str(), &end, 10));
    if (values.back() < 1 || *end != '\0')
      throw Error("\"" + item + "\" is not a number of steps", "--steps", "write 5,10,20", Exit::usage);
  }
  return values;
}

// One sampler at one number of steps.
struct Result {
  std::string sampler, failure;  // failure: empty unless it could not sample
  int64_t steps = 0, calls = 0;  // calls: of the network, over all batches
  double seconds = 0;
  double distance = NAN;  // root mean square to the reference
  at::Tensor samples;
};

// One trained run under many samplers.
class Comparison {
 public:
  // All are borrowed.
  Comparison(const runs::Folder& folder, loader::Registry& registry, int64_t count)
      : folder_(folder), registry_(registry), count_(count), run_(load_diffusion(folder.experiment())) {
    reference_ = sample("dopri5", reference_steps(), kReference).samples;
  }

  const at::Tensor& reference() const { return reference_; }

  // A failure is a result too, but an interruption is thrown.
  Result measure(const std::string& sampler, int64_t steps) const {
    try {
      Result result = sample(sampler, steps, {});
      result.distance = std::sqrt(result.samples.sub(reference_).square().mean().item<double>());
      return result;
    } catch (const Error& error) {
      if (error.exit == Exit::interrupted) throw;
      return {sampler, error.what(), steps, 0, 0, NAN, {}};
    }
  }

  // Those that make samples from noise, sorted.
  std::vector<std::string> all_samplers() const {
    std::vector<std::string> ids = config::ids_of_kind(loader::Index::scan().catalogue(), "sampler");
    std::erase_if(ids, [&](const std::string& id) {
      const auto loaded = load_experiment(folder_.experiment(), {another_sampler(id, run_.experiment.sampling)});
      return sample::inverts(model::Model(loaded, registry_, runs::kept_data(folder_, loaded)));
    });
    return ids;
  }

 private:
  Result sample(const std::string& sampler, int64_t steps, const std::vector<std::string>& more) const {
    std::vector<std::string> set = {another_sampler(sampler, run_.experiment.sampling),
                                    "sampler.steps=" + std::to_string(steps)};
    set.insert(set.end(), more.begin(), more.end());
    const config::Loaded loaded = load_experiment(folder_.experiment(), set);
    model::Model model(loaded, registry_, runs::kept_data(folder_, loaded));
    sample::check_generates(model, loaded);
    sample::check_steps(model.times, loaded);
    take_weights(model, folder_, registry_);
    Result result{sampler, {}, steps, 0, 0, NAN, {}};
    sample::Request request;
    request.count = count_;
    request.batch_size = run_.experiment.samples.batch_size;
    request.seed = run_.experiment.samples.seed;
    request.labels = sample::grid_labels(model, count_, run_.experiment.samples.columns);
    request.given = sample::grid_conditions(model, run_.experiment.samples, count_);
    request.cancelled = [] { return life::stop_signal() != 0; };
    request.progress = [&](int64_t done, int64_t) { result.calls = done; };
    const auto begin = std::chrono::steady_clock::now();
    result.samples = sample::generate(model, request);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
  }

  // Not more than a discrete schedule has.
  int64_t reference_steps() const {
    const auto levels =
        static_cast<int64_t>(model::Model(run_, registry_, runs::kept_data(folder_, run_)).times.domain().steps);
    return levels == 0 ? kReferenceSteps : std::min(levels, kReferenceSteps);
  }

  const runs::Folder& folder_;
  loader::Registry& registry_;
  const int64_t count_;
  const config::Loaded run_;
  at::Tensor reference_;
};

std::string number(double value, const char* format) {
  if (!std::isfinite(value)) return "failed";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// A line per sampler, a column per number of steps.
std::string table(const std::vector<Result>& results, const std::vector<int64_t>& steps) {
  std::vector<std::string> header = {"sampler", ">calls"};
  for (int64_t n : steps) header.push_back(">" + std::to_string(n));
  console::Table table(header);
  for (size_t i = 0; i < results.size(); i += steps.size()) {
    std::vector<std::string> row = {results[i].sampler, std::to_string(results[i + steps.size() - 1].calls)};
    for (size_t j = 0; j < steps.size(); ++j) row.push_back(number(results[i + j].distance, "%.4f"));
    table.add(row);
  }
  return table.text(console::Terminal::of(1).width);
}

void write_csv(const fs::path& file, const std::vector<Result>& results) {
  std::ofstream out(file);
  out << "sampler,steps,calls,seconds,distance\n";
  for (const Result& r : results)
    out << r.sampler << "," << r.steps << "," << r.calls << "," << r.seconds << "," << number(r.distance, "%.9g")
        << "\n";
  if (!out.flush()) throw Error("the table could not be written", file.string(), "free some space, or use --out");
}

nlohmann::json as_json(const std::vector<Result>& results, const fs::path& csv, const fs::path& picture) {
  nlohmann::json list = nlohmann::json::array();
  for (const Result& r : results) {
    list.push_back({{"sampler", r.sampler}, {"steps", r.steps}, {"calls", r.calls}, {"seconds", r.seconds}});
    if (r.failure.empty())
      list.back()["distance"] = r.distance;
    else
      list.back()["failure"] = r.failure;
  }
  return {{"results", list}, {"table", csv.string()}, {"picture", picture.string()}};
}

store::Image picture_of(const std::vector<Result>& results, const std::vector<int64_t>& steps,
                        const at::Tensor& reference) {
  std::vector<at::Tensor> samples;
  std::vector<std::string> rows, columns;
  for (const Result& r : results) samples.push_back(r.samples);
  for (size_t i = 0; i < results.size(); i += steps.size()) rows.push_back(results[i].sampler);
  for (int64_t n : steps) columns.push_back(std::to_string(n));
  return compare_picture(samples, rows, columns, reference);
}

}  // namespace

int compare_command(const std::vector<std::string>& arguments) {
  const Command c = compare_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const runs::Folder folder = runs::open_folder(required(c, *values, "RUN"));
  const std::vector<int64_t> steps = numbers((*values)["steps"].as<std::string>());
  loader::Registry& registry =
      open_registry(runs::data_folders(folder), {.device = (*values)["device"].as<std::string>()});
  const fs::path stem =
      output_stem(values->count("out") ? fs::path((*values)["out"].as<std::string>()) : folder.samples() / "compare",
                  {".png", ".csv"});
  const Comparison comparison(folder, registry, (*values)["count"].as<int64_t>());
  const std::vector<std::string> samplers =
      values->count("samplers") ? listed((*values)["samplers"].as<std::string>()) : comparison.all_samplers();

  std::vector<Result> results;
  auto bar =
      std::make_unique<console::Progress>("comparing", static_cast<int64_t>(samplers.size() * steps.size()), "run");
  for (const std::string& sampler : samplers)
    for (int64_t n : steps) {
      results.push_back(comparison.measure(sampler, n));
      bar->update(static_cast<int64_t>(results.size()));
    }
  bar.reset();
  bool whole = true;
  for (const Result& r : results) {
    if (r.failure.empty()) continue;
    std::cerr << "warning: " << r.sampler << ", " << r.steps << " steps: " << r.failure << "\n";
    whole = false;
  }
  const fs::path csv = stem.string() + ".csv", picture = stem.string() + ".png";
  write_csv(csv, results);
  const bool drawn = sample::can_draw(comparison.reference());
  if (drawn) store::write_png(picture, picture_of(results, steps, comparison.reference()));
  if (values->count("json")) {
    std::cout << json_text(as_json(results, csv, drawn ? picture : fs::path()), 2);
  } else {
    std::cout
        << "root mean square distance to the exact probability flow; samplers that add noise of their own do not come "
           "near it\n\n"
        << table(results, steps) << "\ntable    " << csv.string() << "\n"
        << (drawn ? "picture  " + picture.string() + "\n" : "");
  }
  return static_cast<int>(whole ? Exit::ok : Exit::failed);
}

}  // namespace perrin::app
