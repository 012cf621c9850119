// What `perrin run` and `perrin resume` share: the sinks of a run on the command line, and its last words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/life/live.hpp"
#include "host/record/log_file.hpp"
#include "host/store/writer.hpp"

namespace perrin::app {

// "perrin", the command, its arguments.
std::vector<std::string> command_line(const char* command, const std::vector<std::string>& arguments);

// Lives with terminal, log and results file as sinks, stopped by signals, and prints the summary. The exit code.
int live(life::Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, store::Writer writer,
         std::shared_ptr<record::LogFile> log, const life::Start& start, bool json);

}  // namespace perrin::app
