#include <unistd.h>

#include <iostream>

#include "host/app/commands.hpp"
#include "host/app/front/show_text.hpp"
#include "host/base/error.hpp"
#include "host/console/output.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

fs::path results_file(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  if (fs::exists(path / "run.h5")) return path / "run.h5";
  throw Error(path.string() + " holds no run.h5", path.string(),
              "name a run's folder, results/<name>/<run-id>, or its run.h5", Exit::usage);
}

}  // namespace

Command show_options() {
  return {"show",
          {"RUN"},
          "Draws a run's results: its folder, or its run.h5.",
          "perrin show results/quickstart/20240229-120000"};
}

int show_command(const std::vector<std::string>& arguments) {
  const Command command = show_options();
  const auto values = parse(command, arguments);
  if (!values) return 0;
  const fs::path file = results_file(required(command, *values, "RUN"));
  const store::Reader reader = store::Reader::open(file);
  if (values->count("json"))
    std::cout << show_json(reader, file);
  else
    console::Output::write_styled(show_text(reader, file, console::Terminal::of(STDOUT_FILENO)));
  return 0;
}

}  // namespace perrin::app
