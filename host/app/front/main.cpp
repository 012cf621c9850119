// perrin: the commands that touch no tensor, and the door to perrin-engine for those that do. Links no LibTorch.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/front/engine_process.hpp"
#include "host/app/front/help.hpp"
#include "host/base/error.hpp"
#include "host/base/standard_files.hpp"
#include "host/console/output.hpp"
#include "host/loader/layout.hpp"
#include "host/loader/libtorch.hpp"
#include "perrin/abi.h"

namespace {

using perrin::Error;
using perrin::Exit;

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

// Help and mistakes in the options come from here, without waiting for the engine to load LibTorch.
int engine_command(const perrin::app::Found& found, char** argv) {
  const perrin::app::Command command = found.row.options();
  const auto values = parse(command, found.rest);
  if (!values) return 0;
  for (const std::string& name : command.positional) required(command, *values, name);
  return start_engine(argv);
}

int dispatch(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "--help";
  if (first == "--help" || first == "-h") return std::cout << perrin::app::overview(), 0;
  if (first == "--version") return std::cout << "perrin " PERRIN_SDK_VERSION "\n", 0;
  check_working_folder();
  const perrin::app::Found found = perrin::app::find_command({argv + 1, argv + argc});
  if (!found.row.options) return std::cout << perrin::app::group_help(found.row), 0;
  return found.row.run ? found.row.run(found.rest) : engine_command(found, argv);
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
