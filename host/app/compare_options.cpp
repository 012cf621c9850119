#include "host/app/commands.hpp"

namespace perrin::app {

Command compare_options() {
  Command c(
      "compare", {"RUN"},
      "Samples of one trained run by many samplers and numbers of steps, from the same noise: a table of calls of the "
      "network and of the distance to the exact probability flow, a CSV file, and a picture with a row per sampler "
      "and a column per number of steps.",
      "perrin compare results/sampler-comparison/RUN --samplers ddim,heun,dpm++2m --steps 5,10,20,50");
  c.add("samplers", text("ID,ID,..."), "samplers, separated by commas (default: all)");
  c.add("steps", text("N,N,...")->default_value("5,10,20,50"), "numbers of steps, separated by commas");
  c.add("count", whole("N")->default_value(64), "samples of each");
  c.add("out", text("FILE"),
        "where to write, with or without ending; missing folders are made (default: RUN/samples/compare)");
  c.add_device();
  return c;
}

}  // namespace perrin::app
