// Bad files and the exact text that each gets.
#include <gtest/gtest.h>

#include "host/config/load.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

struct Case {
  const char* situation;
  std::string text;
  std::vector<std::string> set;
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.situation; }

std::string with(const std::string& more) { return kMinimal + more; }  // more begins at line 7

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"unknown key", with("chanels = [1]\n"), {}, R"(x.toml:7:1: error: unknown key "chanels" in [denoiser] (unet)
   7 | chanels = [1]
     | ^~~~~~~
     = did you mean "channels"?  allowed: attention, blocks, channels, downsample, dropout, note, scales, sha256, use, warm, weights
1 error in x.toml; nothing was run.
)"},
      {"wrong type", with("dropout = \"a\"\n"), {}, R"(x.toml:7:11: error: "dropout" must be a number, not text
   7 | dropout = "a"
     |           ^~~
     = expected: number >= 0, < 1
1 error in x.toml; nothing was run.
)"},
      {"wrong type of an element",
       with("scales = [1, true]\n"),
       {},
       R"(x.toml:7:14: error: an element of "scales" must be a number, not a boolean
   7 | scales = [1, true]
     |              ^~~~
     = expected: list of numbers
1 error in x.toml; nothing was run.
)"},
      {"a scalar for a list",
       with("scales = 1\n"),
       {},
       R"(x.toml:7:10: error: "scales" must be a list of numbers, not an integer
   7 | scales = 1
     |          ^
     = expected: list of numbers
1 error in x.toml; nothing was run.
)"},
      {"a fraction for an integer",
       with("heads = 1.5\n"),
       {},
       R"(x.toml:7:1: warning: key "heads" in [denoiser] (unet) is deprecated
   7 | heads = 1.5
     | ^~~~~
     = use "head_dim"
x.toml:7:9: error: "heads" must be an integer, not a number
   7 | heads = 1.5
     |         ^~~
     = expected: integer
1 error and 1 warning in x.toml; nothing was run.
)"},
      {"out of range, with unit", with("warm = 0\n"), {}, R"(x.toml:7:8: error: "warm" is out of range: 0
   7 | warm = 0
     |        ^
     = allowed: > 0 seconds
1 error in x.toml; nothing was run.
)"},
      {"not finite", with("warm = nan\n"), {}, R"(x.toml:7:8: error: "warm" must be finite
   7 | warm = nan
     |        ^~~
     = expected: number > 0 seconds
1 error in x.toml; nothing was run.
)"},
      {"not a choice",
       with("blocks = [\"res\", \"atn\"]\n"),
       {},
       R"(x.toml:7:18: error: "atn" is not a value of "blocks"
   7 | blocks = ["res", "atn"]
     |                  ^~~~~
     = did you mean "attn"?  allowed: res, attn
1 error in x.toml; nothing was run.
)"},
      {"key and alias",
       with("down = \"avg\"\ndownsample = \"max\"\n"),
       {},
       R"(x.toml:8:1: error: "downsample" and "down" are two names of one key in [denoiser] (unet)
   8 | downsample = "max"
     | ^~~~~~~~~~
     = keep one of them
1 error in x.toml; nothing was run.
)"},
      {"a date", with("note = 2020-01-01\n"), {}, R"(x.toml:7:8: error: "note" must be text, not a date
   7 | note = 2020-01-01
     |        ^~~~~~~~~~
     = expected: text
1 error in x.toml; nothing was run.
)"},
      {"NUL in text", with("note = \"a\\u0000b\"\n"), {}, R"(x.toml:7:8: error: "note" holds a NUL character
   7 | note = "a\u0000b"
     |        ^~~~~~~~~~
1 error in x.toml; nothing was run.
)"},
      {"unknown component", with("[sampler]\nuse = \"eulre\"\n"), {}, R"(x.toml:8:7: error: no sampler is called "eulre"
   8 | use = "eulre"
     |       ^~~~~~~
     = did you mean "euler"?  allowed: ddim, euler
1 error in x.toml; nothing was run.
)"},
      {"a component of another kind",
       with("[sampler]\nuse = \"cosine\"\n"),
       {},
       R"(x.toml:8:7: error: no sampler is called "cosine"
   8 | use = "cosine"
     |       ^~~~~~~~
     = that is a schedule;  allowed: ddim, euler
1 error in x.toml; nothing was run.
)"},
      {"no table, no use, no required key",
       "experiment.name = \"x\"\n[dataset]\n[denoiser]\nuse = \"unet\"\n",
       {},
       R"(x.toml: error: missing table [schedule]
     = add [schedule] with use = "…"; allowed: cosine, linear
x.toml:2:2: error: missing key "use" in [dataset]
   2 | [dataset]
     |  ^~~~~~~
     = allowed: fashion-mnist, gaussian-mixture
x.toml:3:2: error: missing key "channels" in [denoiser] (unet)
   3 | [denoiser]
     |  ^~~~~~~~
     = for tests; expected: list of integers >= 1, <= 4096
3 errors in x.toml; nothing was run.
)"},
      {"an empty file", "", {}, R"(x.toml: error: missing table [experiment]
     = add [experiment] with name = "…"
x.toml: error: missing table [dataset]
     = add [dataset] with use = "…"; allowed: fashion-mnist, gaussian-mixture
x.toml: error: missing table [denoiser]
     = add [denoiser] with use = "…"; allowed: mlp, unet
x.toml: error: missing table [schedule]
     = add [schedule] with use = "…"; allowed: cosine, linear
4 errors in x.toml; nothing was run.
)"},
      {"text for a table",
       with("[guidance]\n") + "[stage]\n[samples.count]\n",
       {},
       R"(x.toml:8:2: error: "stage" must be a list of tables, not a table
   8 | [stage]
     |  ^~~~~
     = begin each of them with [[stage]]
x.toml:9:1: error: "count" must be an integer, not a table
   9 | [samples.count]
     | ^~~~~~~~~~~~~~~
     = expected: integer >= 1 samples
2 errors in x.toml; nothing was run.
)"},
      {"single table given as list",
       with("[[sampler]]\nuse = \"ddim\"\n"),
       {},
       R"(x.toml:7:3: error: [sampler] must be a table, not a list
   7 | [[sampler]]
     |   ^~~~~~~
     = write it with single brackets: [sampler]
1 error in x.toml; nothing was run.
)"},
      {"tables of a later version and strangers",
       with("[sweep]\n[[metric]]\n[bias_variance]\n[[tracker]]\n[smapler]\n[loss]\n"),
       {},
       R"(x.toml:7:2: error: [sweep]: sweeps are not in this version
   7 | [sweep]
     |  ^~~~~
     = remove it to run the rest
x.toml:8:3: error: [metric]: metrics are not in this version
   8 | [[metric]]
     |   ^~~~~~
     = remove it to run the rest
x.toml:9:2: error: [bias_variance]: the bias-variance report is not in this version
   9 | [bias_variance]
     |  ^~~~~~~~~~~~~
     = remove it to run the rest
x.toml:10:3: error: [tracker]: trackers are not in this version
  10 | [[tracker]]
     |   ^~~~~~~
     = remove it to run the rest
x.toml:11:2: error: unknown table "smapler" at the top of the file
  11 | [smapler]
     |  ^~~~~~~
     = did you mean "sampler"?  allowed: conditioner, dataset, denoiser, encoder, experiment, extractor, guidance, include, parameterization, sampler, samples, schedule, stage, timesteps, weighting
x.toml:12:2: error: unknown table "loss" at the top of the file
  12 | [loss]
     |  ^~~~
     = did you mean "stage.loss"?
6 errors in x.toml; nothing was run.
)"},
      {"a name that is no folder",
       "experiment.name = \"a/b\"\ndataset.use = \"fashion-mnist\"\nschedule.use = \"linear\"\ndenoiser.use = "
       "\"mlp\"\n",
       {},
       R"(x.toml:1:19: error: "a/b" cannot name a folder of results
   1 | experiment.name = "a/b"
     |                   ^~~~~
     = 1 to 100 letters, digits, space and - _ . +, beginning with a letter, digit, _ or +
1 error in x.toml; nothing was run.
)"},
      {"conditioners of one name",
       with("[[conditioner]]\nuse = \"class-label\"\n[[conditioner]]\nuse = \"class-label\"\n[[conditioner]]\n"
            "use = \"class-label\"\nname = \"a b\"\n"),
       {},
       R"(x.toml:9:1: error: two conditioners are called "class-label"
   9 | [[conditioner]]
     | ^~~~~~~~~~~~~~~
     = give each its own name = "…": their parameters are kept under it
x.toml:11:1: error: "a b" cannot name a conditioner
  11 | [[conditioner]]
     | ^~~~~~~~~~~~~~~
     = letters, digits, - and _
2 errors in x.toml; nothing was run.
)"},
      {"stages that do not fit",
       with("[[stage]]\nname = \"a\"\ntrain = [\"conditioner\"]\nsteps = 10\nwarmup = 20\ncondition_drop = 0.5\n"
            "[[stage]]\nname = \"a\"\ntrain = [\"decoder\"]\n[[stage]]\n"),
       {},
       R"(x.toml:9:9: error: "train" names the conditioner, and the experiment has none
   9 | train = ["conditioner"]
     |         ^~~~~~~~~~~~~~~
     = add [conditioner] or leave it out of "train"
x.toml:11:10: error: "warmup" is longer than the stage: 20 of 10 steps
  11 | warmup = 20
     |          ^~
     = the learning rate would never reach "lr"
x.toml:12:18: error: "condition_drop" is set, and the experiment has no conditioner
  12 | condition_drop = 0.5
     |                  ^~~
     = add [conditioner], or remove "condition_drop"
x.toml:14:8: error: two stages are called "a"
  14 | name = "a"
     |        ^~~
     = traces and checkpoints are kept under the name
x.toml:15:10: error: "decoder" is not a value of "train"
  15 | train = ["decoder"]
     |          ^~~~~~~~~
     = did you mean "encoder"?  allowed: encoder, conditioner, extractor, denoiser
x.toml:16:1: error: stage 3 of 3 has no name
  16 | [[stage]]
     | ^~~~~~~~~
     = with several stages each needs name = "…": traces, checkpoints and --set use it
6 errors in x.toml; nothing was run.
)"},
      {"losses that do not fit",
       with("[[stage]]\nsteps = 5\n[[stage.loss]]\nweight = 0\n[[stage.loss]]\nstart = 5\nweight = 0\n"),
       {},
       R"(x.toml:7:1: error: every loss of this stage has weight 0
   7 | [[stage]]
     | ^~~~~~~~~
     = nothing would be trained
x.toml:11:1: error: two losses of a stage are called "l2"
  11 | [[stage.loss]]
     | ^~~~~~~~~~~~~~
     = give each its own name = "…": their traces are kept under it
x.toml:12:9: error: "start" is behind the stage's end: step 5 of 5
  12 | start = 5
     |         ^
     = the term would never count
3 errors in x.toml; nothing was run.
)"},
      {"syntax: text without quotes",
       with("downsample = avg\n"),
       {},
       R"(x.toml:7:14: error: TOML syntax: this is not a TOML value
   7 | downsample = avg
     |              ^
     = text needs quotes: "like this"
1 error in x.toml; nothing was run.
)"},
      {"syntax: a key twice",
       with("dropout = 0.5\ndropout = 0.25\n"),
       {},
       R"(x.toml:8:1: error: TOML syntax: cannot redefine existing floating-point 'dropout' (key-value pair)
   8 | dropout = 0.25
     | ^~~~~~~
1 error in x.toml; nothing was run.
)"},
      {"syntax: open quote",
       with("note = \"abc\n"),
       {},
       R"(x.toml:7:12: error: TOML syntax: a control character in a text, or its closing quote is missing
   7 | note = "abc
     |            ^
1 error in x.toml; nothing was run.
)"},
      {"syntax: not UTF-8", with("note = \"a\xff\"\n"), {}, R"(x.toml:7:10: error: TOML syntax: this byte is not UTF-8
   7 | note = "a?"
     |          ^
     = save the file as UTF-8
1 error in x.toml; nothing was run.
)"},
      {"columns count characters; tabs and wide ones line up",
       with("\t\"日本\" = \"é\"\n"),
       {},
       R"(x.toml:7:2: error: unknown key "日本" in [denoiser] (unet)
   7 | 	"日本" = "é"
     | 	^~~~~~
     = allowed: attention, blocks, channels, downsample, dropout, note, scales, sha256, use, warm, weights
1 error in x.toml; nothing was run.
)"},
      {"a pin that is no hash",
       with("sha256 = \"cafe\"\n"),
       {},
       R"(x.toml:7:10: error: "cafe" is not a SHA-256: it has 64 hexadecimal digits
   7 | sha256 = "cafe"
     |          ^~~~~~
     = `perrin plugin show unet` prints the library's
1 error in x.toml; nothing was run.
)"},
      {"a pin that is no text",
       with("sha256 = 7\n"),
       {},
       R"(x.toml:7:10: error: "sha256" must be text, not an integer
   7 | sha256 = 7
     |          ^
     = expected: text
1 error in x.toml; nothing was run.
)"},
      {"a pin of what has no library",
       with("[[stage]]\noptimizer.sha256 = \"cafe\"\n"),
       {},
       R"(x.toml:8:11: error: unknown key "sha256" in optimizer (adamw)
   8 | optimizer.sha256 = "cafe"
     |           ^~~~~~
     = allowed: beta1, beta2, decay_all, eps, lr, use, weight_decay
1 error in x.toml; nothing was run.
)"},
      {"overrides",
       with(""),
       {"denoiser.dropout=2", "sampler.stps=3", "seed=1", "schedule.use=eosine", "denoiser.channels=[1,x]"},
       R"(--set 5: error: TOML syntax: this is not a TOML value
     | denoiser.channels=[1,x]
     |                      ^
     = text needs quotes: "like this"
1 error in x.toml; nothing was run.
)"},
      {"overrides that parse",
       with(""),
       {"denoiser.dropout=2", "sampler.stps=3", "seed=1", "schedule.use=eosine"},
       R"(--set 1: error: "dropout" is out of range: 2
     | denoiser.dropout=2
     |                  ^
     = allowed: >= 0, < 1
--set 2: error: unknown key "stps" in [sampler] (ddim)
     | sampler.stps=3
     |         ^~~~
     = did you mean "steps"?  allowed: clip_denoised, eta, final, offset, rho, sha256, sigmas, spacing, steps, times, use
--set 3: error: unknown key "seed" at the top of the file
     | seed=1
     | ^~~~
     = did you mean "experiment.seed"?
--set 4: error: no schedule is called "eosine"
     | schedule.use=eosine
     |              ^~~~~~
     = did you mean "cosine"?  allowed: cosine, linear
4 errors in x.toml; nothing was run.
)"},
  };
  return all;
}

class BadFile : public ::testing::TestWithParam<Case> {};

TEST_P(BadFile, GetsThisMessage) {
  const Case& bad = GetParam();
  try {
    load_text(bad.text, "x.toml", bad.set, catalogue());
    FAIL() << "loaded";
  } catch (const Diagnostics& fault) {
    EXPECT_EQ(fault.message(), bad.message);
    EXPECT_EQ(fault.exit, Exit::usage);
  }
}

// Whoever knows only the base type sees the same text.
TEST(Message, IsTheSameWhenCaughtAsError) {
  const Case& bad = cases().front();
  try {
    load_text(bad.text, "x.toml", bad.set, catalogue());
    FAIL() << "loaded";
  } catch (const Error& fault) {
    EXPECT_EQ(fault.message(), bad.message);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadFile, ::testing::ValuesIn(cases()));

}  // namespace
}  // namespace perrin::config::test
