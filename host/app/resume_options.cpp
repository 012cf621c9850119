#include "host/app/commands.hpp"

namespace perrin::app {

Command resume_options() {
  Command c("resume", {"RUN"},
            "Go on with a run that stopped, from its newest checkpoint that verifies. It ends bit-identical to a run "
            "that was never interrupted.",
            "perrin resume results/quickstart/RUN");
  c.add_device();
  c.add_flag("accept-changes", "go on although the data or the plugins are not those of the run's checkpoint");
  return c;
}

}  // namespace perrin::app
