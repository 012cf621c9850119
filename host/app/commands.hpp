// The table of commands. Dispatch in both programs, help, the shells' completions and the manual page follow it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/app/options.hpp"

// One row per command: its name, its function, what it does. Row `run` means run_options(), what the command accepts,
// and run_command(arguments), which does it and returns the exit code. PERRIN rows are done by perrin, which links no
// LibTorch; ENGINE rows by perrin-engine, and their options stand in X_options.cpp, which both programs have. A GROUP
// is the first word of the rows below it.
#define PERRIN_COMMANDS(GROUP, PERRIN, ENGINE)                                                           \
  ENGINE("run", run, "train, sample and record an experiment")                                           \
  ENGINE("resume", resume, "go on with a run that stopped")                                              \
  ENGINE("check", check, "resolve an experiment and print shapes, parameters and costs; runs nothing")   \
  ENGINE("sample", sample, "make images from a run")                                                     \
  ENGINE("eval", eval, "what a run's weights are worth on data")                                         \
  ENGINE("compare", compare, "samples of one run by many samplers and numbers of steps")                 \
  GROUP("weights", "export a component's weights, or list what a file holds")                            \
  ENGINE("weights export", weights_export, "write the weights of one component of a run as safetensors") \
  ENGINE("weights inspect", weights_inspect, "list the tensors and the metadata of a safetensors file")  \
  PERRIN("show", show, "draw a run's results in the terminal")                                           \
  GROUP("cache", "list what the cache holds, or empty it")                                               \
  PERRIN("cache list", cache_list, "what lies in the cache: latents, hashes of data, plugins")           \
  PERRIN("cache prune", cache_prune, "remove what is of no use, or old, or everything")                  \
  GROUP("plugin", "list plugins, or show one component's schema")                                        \
  PERRIN("plugin list", plugin_list, "every component that the plugins offer")                           \
  PERRIN("plugin show", plugin_show, "one component's schema")                                           \
  PERRIN("help", help, "a command's options and an example; the manual page")                            \
  PERRIN("completion", completion, "a script that makes a shell complete commands")

namespace perrin::app {

struct Row {
  std::string name, summary;
  Command (*options)();                         // null of a group, and in perrin-engine of what is perrin's
  int (*run)(const std::vector<std::string>&);  // null of a group, and where another program does it

  bool leads(const Row& other) const { return other.name.starts_with(name + " "); }
};

std::span<const Row> commands();

struct Found {
  const Row& row;
  std::vector<std::string> rest;
};

// The row that the words begin with. Of a group alone, or with --help, it is the group. Throws Error (usage) naming the
// nearest command.
Found find_command(const std::vector<std::string>& words);

#define PERRIN_NONE(name, summary)
#define PERRIN_DECLARE(name, function, summary) \
  Command function##_options();                 \
  int function##_command(const std::vector<std::string>& arguments);
PERRIN_COMMANDS(PERRIN_NONE, PERRIN_DECLARE, PERRIN_DECLARE)
#undef PERRIN_DECLARE
#undef PERRIN_NONE

}  // namespace perrin::app
