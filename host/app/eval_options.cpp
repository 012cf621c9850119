#include "host/app/commands.hpp"

namespace perrin::app {

Command eval_options() {
  Command c("eval", {"RUN"},
            "What a run's averaged weights are worth on data: reconstructions of a first stage, answers of an "
            "extractor, the error of a denoiser over noise levels, or what judges see in its samples. Kept in the run's "
            "results file beside what is printed.",
            "perrin eval results/fashion-classifier/RUN --set dataset.split=test");
  c.add_set("any key of the experiment; repeatable");
  c.add("count", whole("N"), "samples of the dataset, from the first (default: all; 256 for the error of a denoiser, 200 for "
                            "judges)");
  c.add("judge", texts("FIELD=FILE"), "weights of a classifier of the dataset's field that judges samples; repeatable");
  c.add_checkpoint();
  c.add("batch-size", whole("N")->default_value(64), "samples per forward pass");
  c.add_device();
  return c;
}

}  // namespace perrin::app
