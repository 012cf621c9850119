#include "host/app/commands.hpp"

namespace perrin::app {

Command check_options() {
  Command c("check", {"FILE"},
            "Resolve an experiment, load its plugins, infer every shape, count parameters and estimate costs. Trains "
            "nothing.",
            "perrin check experiments/quickstart.toml --set denoiser.channels=[64,128]");
  c.add_set("override a key; repeatable");
  c.add_flag("data", "read every sample of the dataset too, and list those that cannot be read");
  return c;
}

}  // namespace perrin::app
