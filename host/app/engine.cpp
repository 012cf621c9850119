// perrin-engine: the commands that use LibTorch. Started by perrin with the same arguments.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "host/app/check.hpp"
#include "host/app/compare.hpp"
#include "host/app/eval.hpp"
#include "host/app/own_output.hpp"
#include "host/app/run.hpp"
#include "host/app/sample.hpp"
#include "host/app/weights.hpp"
#include "host/base/error.hpp"
#include "host/base/standard_files.hpp"
#include "host/config/diagnostics.hpp"
#include "host/console/output.hpp"
#include "host/life/signals.hpp"
#include "host/loader/crash.hpp"
#include "host/loader/crumbs.hpp"
#include "host/loader/watchdog.hpp"
#include "host/model/device.hpp"

namespace {

int answer(int argc, char** argv) {
  using perrin::Error;
  using perrin::Exit;
  const std::string name = argc > 1 ? argv[1] : "";
  const std::vector<std::string> arguments(argv + (argc > 1 ? 2 : 1), argv + argc);
  try {
    perrin::loader::install_crash_handler(true);
    perrin::life::install_signal_handlers();
    perrin::loader::start_watchdog(perrin::life::stop_signal);
    perrin::model::tune_process();
    if (name == "run") return perrin::app::run_command(arguments);
    if (name == "resume") return perrin::app::resume_command(arguments);
    if (name == "check") return perrin::app::check_command(arguments);
    if (name == "compare") return perrin::app::compare_command(arguments);
    if (name == "eval") return perrin::app::eval_command(arguments);
    if (name == "weights") return perrin::app::weights_command(arguments);
    if (name == "sample") return perrin::app::sample_command(arguments);
    throw Error("perrin-engine has no command \"" + name + "\"", "", "start `perrin` instead", Exit::usage);
  } catch (const perrin::config::Diagnostics& diagnostics) {
    std::cerr << diagnostics.message();
    return static_cast<int>(Exit::usage);
  } catch (const Error& error) {
    std::cerr << perrin::console::message_text(error);
    const bool stopped = error.exit == Exit::interrupted && perrin::life::stop_signal() != 0;
    return stopped ? perrin::life::stop_exit_code() : static_cast<int>(error.exit);
  } catch (const std::bad_alloc&) {
    std::cerr << Error("out of memory", "", "lower batch_size or the model's size").message();
  } catch (const std::exception& error) {
    const std::string what = error.what();  // LibTorch appends its C++ stack
    std::cerr << Error(what.substr(0, what.find("\nException raised from")), "", "please report this").message();
  }
  return static_cast<int>(Exit::failed);
}

}  // namespace

int main(int argc, char** argv) try {
  perrin::reserve_standard_files();
  perrin::app::keep_standard_output();
  perrin::console::Output output;
  const int code = output.finish(answer(argc, argv));
  perrin::loader::mark_end(code);
  return code;
} catch (const perrin::Error& error) {
  std::cerr << error.message();
  return static_cast<int>(error.exit);
}
