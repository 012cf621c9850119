#include "host/app/commands.hpp"

namespace perrin::app {
namespace {

void add_prompts_and_pictures(Command& c) {
  c.add("prompt", texts("TEXT"),
        "what to show, in words; \"(red:1.3)\" stresses; repeatable: one a row, at equal noise");
  c.add("prompts", text("FILE"), "a file with one prompt a line");
  c.add("negative", text("TEXT"), "what to keep away from, in words");
  c.add("init", text("FILE"), "a PNG of the run's size to start from");
  c.add("strength", real("X"), "how much of --init is made anew, above 0, at most 1 (default: 0.75)");
  c.add("mask", text("FILE"), "a grey PNG: white is made anew, black stays as in --init or --image");
  c.add("image", text("FILE"),
        "a PNG for the conditioner \"image\": a small one to enlarge, or with --mask one to fill");
  c.add_flag("interpolate", "a strip from one prompt to another, or from one seed's noise to the next one's");
}

void add_tensors(Command& c) {
  c.add("latents", text("FILE"),
        "a safetensors file with x at the first level, [n, ...], called \"start\" or alone: what sampling begins with");
  c.add("conditions", text("FILE"), "a safetensors file of --save-conditions: in place of what conditioners make");
  c.add_flag("save-latents",
             "keep what sampling began with (start) and came to before decoding (latents) beside the samples");
  c.add_flag("save-conditions", "keep what the conditioners made, and the null conditions, beside the samples");
}

}  // namespace

Command sample_options() {
  Command c("sample", {"RUN|FILE"},
            "Make images from a run, with its averaged weights, or from an experiment file whose components all name "
            "`weights`, without training: a PNG grid and raw arrays.",
            "perrin sample results/quickstart/RUN --count 16 --class 3 --steps 50 --guidance 3");
  c.add("count", whole("N"), "samples (default: the experiment's)");
  c.add("seed", whole("N"), "seed of the noise (default: the experiment's)");
  c.add("class", texts("N|FIELD=N"),
        "N: class of every sample (default: one class per row); FIELD=N: of another label of the dataset; repeatable");
  c.add("sampler", text("SAMPLER"), "another sampler: its own keys at their defaults, the steps as in the run");
  c.add("steps", whole("N"), "sampling steps");
  c.add("guidance", real("X"), "the guidance's scale; classifier-free where the run's has none");
  c.add_set("any key of the experiment; repeatable");
  c.add_checkpoint();
  c.add("ema-sigma-rel", real("X"),
        "average the weights with this relative width, from the snapshots of a stage with ema = \"power\"");
  c.add("out", text("FILE"),
        "where to write, with or without ending; missing folders are made (default: RUN/samples/sample-SEED, "
        "results/NAME/sample-SEED)");
  c.add_device();
  add_prompts_and_pictures(c);
  add_tensors(c);
  return c;
}

}  // namespace perrin::app
