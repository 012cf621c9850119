// perrin-engine: the commands that use LibTorch. Started by perrin with the same arguments.
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/own_output.hpp"
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
  try {
    perrin::loader::install_crash_handler(true);
    perrin::life::install_signal_handlers();
    perrin::loader::start_watchdog(perrin::life::stop_signal);
    perrin::model::tune_process();
    const perrin::app::Found found = perrin::app::find_command({argv + std::min(argc, 1), argv + argc});
    if (found.row.run) return found.row.run(found.rest);
    throw Error("perrin-engine does not do \"" + found.row.name + "\"", "", "start `perrin` instead", Exit::usage);
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
