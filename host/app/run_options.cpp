#include "host/app/commands.hpp"

namespace perrin::app {

Command run_options() {
  Command c("run", {"FILE"}, "Train an experiment, sample from it, and keep every number in one HDF5 file.",
            "perrin run experiments/quickstart.toml --set stage.steps=200");
  c.add("out", text("FOLDER"), "the run's folder (default: results/NAME/TIME-HASH)");
  c.add_set("override a key; repeatable");
  c.add("seed", whole("N"), "the experiment's seed");
  c.add_device();
  c.add_flag("check-plugins", "look closely at every call of a plugin, not only at the first ones");
  return c;
}

}  // namespace perrin::app
