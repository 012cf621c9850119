// Says which plugin the program waits for.
#pragma once

namespace perrin::loader {

// Starts, once, a thread that writes to stderr: once for each call of a plugin that has gone on for 60 s, and, once the
// user asked to stop (`asked` not 0), for one that still goes on 2 s later. A call that calls the host in between does
// not count as waiting.
void start_watchdog(int (*asked)());

}  // namespace perrin::loader
