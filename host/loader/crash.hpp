// What a plugin ends with, ends with its name.
#pragma once

#include <string>

namespace perrin::loader {

// Installs, once per process, handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and of exit(). A crash inside a
// plugin writes one message to stderr that names library, component and call, and ends the process: by the signal
// itself where core dumps are enabled (ulimit -c), else with exit code 1. exit() called inside a plugin, or by a thread
// of its own before the program came to its end (mark_end), gets the same message and code 1. A crash elsewhere names
// the library whose code is on the stack (a thread that a plugin started, its exit handlers), else the plugin that ran
// last, and keeps its default. `marks_its_end`: the program calls mark_end before it leaves main.
void install_crash_handler(bool marks_its_end = false);

// Puts the handlers back that a plugin took away. The names of their signals, "" for none.
std::string reinstall_crash_handler();

// Gives this thread a stack of its own for the handler, so that a stack overflow is named too. Once per thread.
void use_crash_stack();

// Where a library that was just loaded lies, so that its code is recognised on a stack. `library`: keep_text's.
void note_addresses(const char* library);

}  // namespace perrin::loader
