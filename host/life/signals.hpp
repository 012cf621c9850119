// SIGINT and SIGTERM: the first asks the run to finish its step, write a checkpoint and stop; the second ends it at
// once.
#pragma once

namespace perrin::life {

// Also takes the signals that `perrin` held back while this program was being loaded.
void install_signal_handlers();

// 0, or the signal that asked to stop.
int stop_signal();

// 130 or 143, as shells expect; REQUIRES: stop_signal() != 0.
int stop_exit_code();

}  // namespace perrin::life
