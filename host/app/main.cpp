// perrin: the commands that touch no tensor, and the door to perrin-engine for those that do. Links no LibTorch.

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "host/app/cache.hpp"
#include "host/app/engine_process.hpp"
#include "host/app/plugin.hpp"
#include "host/app/show.hpp"
#include "host/base/error.hpp"
#include "host/base/standard_files.hpp"
#include "host/config/suggest.hpp"
#include "host/console/output.hpp"
#include "host/loader/layout.hpp"
#include "host/loader/libtorch.hpp"
#include "perrin/abi.h"

namespace {

using perrin::Error;
using perrin::Exit;

struct Entry {
  const char* name;
  const char* summary;
  int (*here)(const std::vector<std::string>&);  // null: perrin-engine's
};

constexpr Entry kCommands[] = {
    {"run", "train, sample and record an experiment", nullptr},
    {"resume", "go on with a run that stopped", nullptr},
    {"check", "resolve an experiment and print shapes, parameters and costs; runs nothing", nullptr},
    {"sample", "make images from a run", nullptr},
    {"eval", "what a run's weights are worth on data", nullptr},
    {"compare", "samples of one run by many samplers and numbers of steps", nullptr},
    {"weights", "export a component's weights, or list what a file holds", nullptr},
    {"show", "draw a run's results in the terminal", perrin::app::show_command},
    {"cache", "list what the cache holds, or empty it", perrin::app::cache_command},
    {"plugin", "list plugins, or show one component's schema", perrin::app::plugin_command},
};

void print_help() {
  std::cout << "perrin: diffusion experiments composed of plugins\n\nusage: perrin COMMAND [options]\n\n";
  for (const Entry& entry : kCommands)
    std::cout << "  " << entry.name << std::string(10 - std::strlen(entry.name), ' ') << entry.summary << "\n";
  std::cout << "\n`perrin COMMAND --help` shows a command's options and an example.\n"
               "example: perrin run experiments/quickstart.toml\n";
}

// A worker that waits for its team spins first. libgomp's default spins for milliseconds, which makes training ten
// times slower as soon as another program takes a core (docs/decisions/thread-waiting.md); about 50 us lose nothing
// when alone.
void limit_spinning() {
  if (!std::getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "4000", 0);
}

// Paths are relative to it, and a folder that was deleted under a shell still looks like one.
void check_working_folder() {
  std::error_code gone;
  (void)std::filesystem::current_path(gone);
  if (gone)
    throw Error("the working folder is gone or cannot be entered: " + gone.message(), "", "cd to a folder",
                Exit::usage);
}

int start_engine(char** argv) {
  limit_spinning();
  const std::filesystem::path engine = perrin::loader::layout().helpers / "perrin-engine";
  if (!std::filesystem::exists(engine))
    throw Error("cannot start perrin-engine: it is not there", engine.parent_path().string(), "install Perrin again");
  perrin::loader::offer_libtorch();
  return perrin::app::run_engine(engine, argv);
}

int dispatch(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h" || name == "help") return print_help(), 0;
  if (name == "--version") return std::cout << "perrin " PERRIN_SDK_VERSION "\n", 0;
  std::vector<std::string> known;
  for (const Entry& entry : kCommands) {
    known.push_back(entry.name);
    if (name != entry.name) continue;
    check_working_folder();
    if (!entry.here) return start_engine(argv);
    return entry.here({argv + 2, argv + argc});
  }
  const std::string nearest = perrin::config::nearest(name, known);
  throw Error("there is no command \"" + name + "\"" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
              "perrin", "see `perrin --help`", Exit::usage);
}

int guarded(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Error& error) {
    std::cerr << perrin::console::message_text(error);
    return static_cast<int>(error.exit);
  } catch (const std::exception& error) {
    std::cerr << Error(error.what()).message();
    return static_cast<int>(Exit::failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  perrin::reserve_standard_files();
  perrin::console::Output output;
  return output.finish(guarded(argc, argv));
}
