// Every kind of lie that a component can tell about tensors, numbers, shapes and texts, by every kind of component, in
// one process: the liar is named in the first message, nobody else, and an honest run of the same plugin passes.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <iostream>

#include "host/config/load.hpp"
#include "host/data/pipeline.hpp"
#include "host/record/trace.hpp"
#include "host/sample/generate.hpp"
#include "host/services/component.hpp"
#include "host/services/tensor.hpp"
#include "host/train/objective/objective.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

using test::Composition;

struct Table {
  const char *kind, *label, *honest;
};
constexpr Table kTables[] = {
    {"dataset", "[dataset]", "use='gaussian-mixture'\ncount=64\n"},
    {"conditioner", "[conditioner]", "use='class-label'\nwidth=4\ndrop=0.5\n"},
    {"encoder", "[encoder]", "use='identity'\n"},
    {"denoiser", "[denoiser]", "use='mlp'\nwidth=8\n"},
    {"schedule", "[schedule]", "use='linear'\nsteps=100\n"},
    {"parameterization", "[parameterization]", "use='v'\n"},
    {"weighting", "[weighting]", "use='uniform'\n"},
    {"timesteps", "[timesteps]", "use='uniform'\n"},
    {"sampler", "[sampler]", "use='ddim'\nsteps=3\n"},
    {"guidance", "[guidance]", "use='none'\n"},
    {"loss", "[[stage]]\nsteps=4\nbatch_size=4\noptimizer={use='adamw',lr=1e-3}\n[[stage.loss]]", "use='l2'\n"}};

struct Lie {
  std::string kind, fault, in, says;
  int from = 1;
};

std::string text_of(const Lie& lie) {
  std::string text = "[experiment]\nname='t'\nseed=5\n";
  for (const Table& table : kTables) {
    const bool here = lie.kind == table.kind;
    text += std::string(table.label) + "\n" +
            (here ? "use='test.liar'\nfault='" + lie.fault + "'\nin='" + lie.in +
                        "'\nfrom=" + std::to_string(lie.from) + "\n"
                  : table.honest);
    if (here && lie.kind == "sampler") text += "steps=3\n";
  }
  return text;
}

// What a run does with its components: shapes, parameters, two steps with a trace, samples.
void live(const Lie& lie) {
  Composition c{config::load_text(text_of(lie), "t.toml", {}, test::catalogue()), nullptr, nullptr};
  c.model = std::make_unique<model::Model>(c.loaded, test::registry());
  c.losses = std::make_unique<train::Losses>(*c, c.loaded, test::registry());
  c->build_parameters(c.losses->trainable(c.loaded.experiment));
  record::trace_groups(*c, *c.losses);
  record::Trace trace(*c, *c.losses);
  c->parameters.train_only({"denoiser"});
  data::Pipeline pipeline(c->dataset, 5, 0, 4, 0);
  for (int64_t step = 0; step < 2; ++step) {
    train::Draw drawn;
    train::Objective o = train::objective(*c, pipeline.next(), c.terms(), {c.stage(), step + 1, step}, &drawn);
    o.total.backward();
    trace.observe(0);
  }
  sample::Request request;
  request.count = 4, request.batch_size = 4, request.labels = {0, 1, 2, 3};
  sample::generate(*c, request);
}

std::string told(const Lie& lie) {
  try {
    live(lie);
    return "nothing";
  } catch (const Error& error) {
    return error.message();
  } catch (const std::exception& error) {
    return std::string("not an Error: ") + error.what();
  }
}

void expect_named(const std::vector<Lie>& lies) {
  for (const Lie& lie : lies) {
    const std::string what = told(lie), who = lie.kind + "/" + lie.in + " tells \"" + lie.fault + "\": " + what;
    EXPECT_NE(what.find("test.liar"), std::string::npos) << who;
    EXPECT_NE(what.find(lie.says), std::string::npos) << who << "  wanted: " << lie.says;
    EXPECT_EQ(what.find("report this"), std::string::npos) << who;
    EXPECT_EQ(what.find("Exception raised"), std::string::npos) << who;
  }
}

TEST(Lies, an_honest_one_of_each_kind_is_believed) {
  for (const Table& table : kTables) EXPECT_EQ(told({table.kind, "", "", ""}), "nothing") << table.kind;
}

// Who gives which tensor in which function.
struct Giver {
  std::string kind, function, tensor;
  bool finite;  // looked at in every call
};
const Giver kGivers[] = {{"denoiser", "forward", "prediction", true},
                         {"encoder", "encode", "z", true},
                         {"encoder", "decode", "x", true},
                         {"conditioner", "encode", "vector", true},
                         {"loss", "compute", "values", false},
                         {"sampler", "sample", "result", true},
                         {"guidance", "combine", "guided", true}};

TEST(Lies, about_a_tensor) {
  std::vector<Lie> lies;
  for (const Giver& g : kGivers) {
    const bool rows = g.kind != "loss";
    lies.push_back({g.kind, "shape", g.function, rows ? "of shape [" : "one value per sample"});
    lies.push_back({g.kind, "batch", g.function, rows ? "of shape [" : "one value per sample"});
    if (rows) lies.push_back({g.kind, "width", g.function, "of shape ["});
    lies.push_back({g.kind, "dtype", g.function, "of dtype Long"});
    lies.push_back({g.kind, "null", g.function, "(NULL) and no status"});
    lies.push_back({g.kind, "garbage", g.function, "never was a tensor"});
    lies.push_back({g.kind, "unaligned", g.function, "never was a tensor"});
    // Where the honest answer is an input, the host still holds it.
    const bool input = g.kind == "encoder" || g.kind == "guidance";
    lies.push_back({g.kind, "freed", g.function, input ? "owns no reference" : "that was released"});
    lies.push_back({g.kind, "unretained", g.function, "owns no reference"});
    lies.push_back({g.kind, "twice", g.function, "owns no reference"});
    lies.push_back({g.kind, "write", g.function, "wrote into its input"});
    lies.push_back({g.kind, "behind", g.function, "wrote behind"});
    lies.push_back({g.kind, "before", g.function, "wrote before"});
    if (!g.finite) continue;
    const int from = g.kind == "denoiser" ? 3 : 1;  // two steps of training, whose NaN is the optimizer's matter
    lies.push_back({g.kind, "nan", g.function, "NaN or infinite", from});
    lies.push_back({g.kind, "inf", g.function, "NaN or infinite", from});
  }
  lies.push_back({"loss", "no graph", "compute", "without a graph"});
  lies.push_back({"conditioner", "other slot", "encode", "gave no condition in the slot vector (NULL)"});
  expect_named(lies);
}

TEST(Lies, about_numbers) {
  expect_named({
      {"schedule", "nan", "marginal", "sigma[99] = nan, which has to be finite"},
      {"schedule", "inf", "marginal", "sigma[99] = inf"},
      {"schedule", "negative", "marginal", "sigma[99] = -0.25, which has to be at least 0"},
      {"schedule", "unwritten", "marginal", "left alpha[0] unwritten"},
      {"schedule", "behind", "marginal", "wrote behind sigma"},
      {"schedule", "behind by three", "marginal", "wrote behind sigma"},
      {"schedule", "before", "marginal", "wrote before sigma"},
      {"schedule", "write", "marginal", "wrote into its input t"},
      {"schedule", "not monotone", "marginal", "the schedule's noise falls"},
      {"schedule", "neither", "marginal", "neither signal nor noise"},
      {"schedule", "many times", "domain", "10000000000 times; at most 10000000"},
      {"schedule", "nan", "domain", "has the time domain 0 to nan"},
      {"parameterization", "nan", "coefficients", "coefficients that are not finite at t"},
      {"parameterization", "inf", "coefficients", "coefficients that are not finite at t"},
      {"parameterization", "behind", "coefficients", "wrote behind coefficients"},
      {"parameterization", "before", "coefficients", "wrote before coefficients"},
      {"parameterization", "write", "coefficients", "wrote into its input times"},
      {"weighting", "negative", "weight", "weight[1] = -0.25"},
      {"weighting", "nan", "weight", "no finite weight"},
      {"weighting", "unwritten", "weight", "left weight[0] unwritten"},
      {"weighting", "behind", "weight", "wrote behind weight"},
      {"weighting", "before", "weight", "wrote before weight"},
      {"weighting", "write", "weight", "wrote into its input times"},
      {"timesteps", "nan", "draw", "t[3] = nan"},
      {"timesteps", "negative", "draw", "t[3] = -0.25, which is no time of the schedule's: 0 to 99, whole"},
      {"timesteps", "beyond", "draw", "t[3] = 1000000, which is no time"},
      {"timesteps", "fraction", "draw", "which is no time"},
      {"timesteps", "behind", "draw", "wrote behind t"},
      {"timesteps", "before", "draw", "wrote before t"},
      {"timesteps", "write", "draw", "wrote into its input samples"},
      {"timesteps", "negative", "importance", "importance[3] = -0.25"},
      {"timesteps", "inf", "importance", "importance[3] = inf"},
      {"timesteps", "nan", "importance", "importance[3] = nan"},
      {"conditioner", "two", "drop_probability", "p[0] = 2, which has to lie in [0, 1]"},
      {"conditioner", "nan", "drop_probability", "p[0] = nan"},
      {"conditioner", "negative", "drop_probability", "p[0] = -0.25"},
      {"guidance", "unknown", "branches", "asked for no branch or an unknown one"},
      {"guidance", "none", "branches", "asked for no branch or an unknown one"},
      {"dataset", "many", "count", "samples"},
      {"dataset", "none", "count", "no samples"},
      {"dataset", "nan", "read", "values of \"image\" that are NaN or infinite"},
      {"dataset", "label", "read", "gave label 4 in place of 0 to 3"},
      {"dataset", "negative", "read", "gave label -1 in place of 0 to 3"},
      {"dataset", "behind", "read", "wrote behind"},
      {"dataset", "before", "read", "wrote before"},
      {"dataset", "write", "read", "wrote into its input indices"},
      {"sampler", "brownian nan", "sample", "the noise level that was asked for is none"},
      {"sampler", "brownian negative", "sample", "the noise level that was asked for is none"},
      {"loss", "behind", "values", "wrote behind values"},
  });
}

TEST(Lies, about_shapes_and_texts) {
  std::vector<Lie> lies;
  const std::pair<const char*, const char*> kSayers[] = {{"dataset", "fields"},
                                                         {"conditioner", "infer"},
                                                         {"encoder", "infer"},
                                                         {"denoiser", "infer"},
                                                         {"denoiser", "declare"}};
  for (const auto& [kind, function] : kSayers) {
    lies.push_back({kind, "rank 9", function, "9 dimensions"});
    lies.push_back({kind, "rank 99", function, "99 dimensions"});
    lies.push_back({kind, "size 0", function, "the size 0"});
    lies.push_back({kind, "size -1", function, "the size -1"});
    lies.push_back({kind, "size 10^18", function, "the size 1000000000000000000"});
    lies.push_back({kind, "dtype 77", function, "the dtype number 77"});
    lies.push_back({kind, "null text", function, "gave NULL for"});
    lies.push_back({kind, "long text", function, "1048576 bytes"});
    lies.push_back({kind, "escape text", function, "control characters"});
    lies.push_back({kind, "no utf-8", function, "no UTF-8"});
  }
  for (const Lie& more : std::vector<Lie>{{"dataset", "twice", "fields", "\"image\" twice"},
                                          {"dataset", "nan", "fields", "not finite"},
                                          {"dataset", "many", "fields", "4000000000 fields"},
                                          {"dataset", "null", "fields", "NULL for its fields"},
                                          {"conditioner", "unknown", "infer", "unknown slots"},
                                          {"denoiser", "garbage", "declare", "no living tensor"},
                                          {"denoiser", "nan", "declare", "not finite"},
                                          {"denoiser", "unknown", "declare", "unknown init 17"},
                                          {"loss", "grow", "names", "other names", 4},
                                          {"loss", "rename", "names", "other names", 4},
                                          {"loss", "space", "names", "letters, digits and _"}})
    lies.push_back(more);
  expect_named(lies);
}

TEST(Lies, about_statuses_and_handles_by_any_kind) {
  const std::pair<const char*, const char*> kFunctions[] = {
      {"schedule", "marginal"}, {"parameterization", "coefficients"},
      {"weighting", "weight"},  {"timesteps", "draw"},
      {"sampler", "sample"},    {"guidance", "combine"},
      {"dataset", "read"},      {"conditioner", "encode"},
      {"encoder", "encode"},    {"denoiser", "forward"},
      {"loss", "compute"}};
  for (const auto& [kind, in] : kFunctions) {
    expect_named(
        {{kind, "garbage status", in, "a status that the host did not make"},
         {kind, "freed status", in, "or that was freed"},
         {kind, "twice freed status", in, "freed a status"},
         {kind, "cancelled", in, "was told to stop, and nobody did"},
         {kind, "escapes", in, "?[31mred?\n    error: forged"},
         {kind, "long status", in, "xxx..."},
         {kind, "bad name", in, "an operator's name is NULL"},
         {kind, "long name", in, "1152921504606846976 bytes"},
         {kind, "garbage handle", in, "called retain of perrin.tensor/1 with a tensor that was released, or never was"},
         {kind, "null handle", in, "called rank of perrin.tensor/1 with NULL"}});
    const std::string long_one = told({kind, "long status", in, ""});
    EXPECT_LT(long_one.size(), 6000u);
    const std::string cancelled = told({kind, "cancelled", in, ""});
    // What is called while the experiment is read has its table's place in the file.
    const std::string function = ", in " + std::string(in), place = "error: [" + std::string(kind) + "] (test.liar): ";
    EXPECT_TRUE(cancelled.find(function) != std::string::npos || cancelled.find(place) != std::string::npos)
        << kind << ": " << cancelled;
  }
  expect_named(
      {{"schedule", "null", "create", "no instance and no status"}, {"denoiser", "null", "create", "no instance"}});
}

// Fault injection: each callback fails once, in its first, second and fifth call.
TEST(Lies, a_callback_that_fails_is_named_and_leaves_nothing_behind) {
  const std::pair<const char*, const char*> kFunctions[] = {{"schedule", "domain"},
                                                            {"schedule", "marginal"},
                                                            {"parameterization", "coefficients"},
                                                            {"weighting", "weight"},
                                                            {"timesteps", "draw"},
                                                            {"sampler", "sample"},
                                                            {"guidance", "branches"},
                                                            {"guidance", "combine"},
                                                            {"dataset", "fields"},
                                                            {"dataset", "count"},
                                                            {"dataset", "read"},
                                                            {"conditioner", "infer"},
                                                            {"conditioner", "encode"},
                                                            {"conditioner", "drop_probability"},
                                                            {"encoder", "infer"},
                                                            {"encoder", "encode"},
                                                            {"encoder", "decode"},
                                                            {"denoiser", "infer"},
                                                            {"denoiser", "declare"},
                                                            {"denoiser", "bind"},
                                                            {"denoiser", "forward"},
                                                            {"loss", "names"},
                                                            {"loss", "values"},
                                                            {"loss", "compute"},
                                                            {"schedule", "create"},
                                                            {"denoiser", "create"}};
  EXPECT_EQ(told({"loss", "", "", ""}), "nothing");
  const int64_t before = services::live_tensors();
  int failed = 0;
  for (const auto& [kind, in] : kFunctions)
    for (const int from : {1, 2, 5}) {
      const std::string what = told({kind, "fails", in, "", from}), who = std::string(kind) + "/" + in;
      EXPECT_EQ(services::live_tensors(), before) << who << ", call " << from << ": " << what;
      if (what == "nothing") {
        EXPECT_GT(from, 1) << who << " is never called";
        continue;
      }
      ++failed;
      EXPECT_NE(what.find("failed on purpose"), std::string::npos) << who << ": " << what;
      EXPECT_NE(what.find("test.liar"), std::string::npos) << who << ": " << what;
    }
  EXPECT_EQ(told({"loss", "", "", ""}), "nothing") << "the host lives";
  std::cout << failed << " failures of " << std::size(kFunctions) << " callbacks\n";
}

TEST(Lies, a_component_that_loses_references_is_named) {
  Composition c{config::load_text(text_of({"loss", "leak", "compute", ""}), "t.toml", {}, test::catalogue()), nullptr,
                nullptr};
  c.model = std::make_unique<model::Model>(c.loaded, test::registry());
  c.losses = std::make_unique<train::Losses>(*c, c.loaded, test::registry());
  c->build_parameters();
  c->parameters.train_only({"denoiser"});
  data::Pipeline pipeline(c->dataset, 5, 0, 4, 0);
  std::string what;
  int64_t step = 0;
  for (; step < 400 && what.empty(); ++step)
    what = test::message_of([&] {
      train::objective(*c, pipeline.next(), c.terms(), {c.stage(), step + 1, step}).total.backward();
    });
  EXPECT_NE(what.find("loses references to tensors"), std::string::npos) << what;
  EXPECT_NE(what.find("test.liar"), std::string::npos) << what;
  EXPECT_GT(step, 100) << "a plugin that fills a cache is not one that leaks";
}

TEST(Lies, the_first_value_that_is_not_finite_is_found) {
  const services::FindNonFinite looking;
  expect_named({{"denoiser", "nan", "forward", "gave a prediction of which "},
                {"loss", "nan", "compute", "gave a tensor of values of which "}});
}

}  // namespace
}  // namespace perrin::test
