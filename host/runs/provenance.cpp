#include "host/runs/provenance.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <perrin/abi.h>
#include <sys/utsname.h>
#include <torch/version.h>

#include <cstdlib>
#include <fstream>

#include "host/model/device.hpp"
#include "host/runs/git.hpp"

namespace perrin::runs {
namespace {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> provenance(const model::Model& model, const data::InputFiles& inputs,
                                                            const std::vector<std::string>& argv) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) facts.emplace_back(key, value);
  };
  std::string command;
  for (const std::string& argument : argv) command += (command.empty() ? "" : " ") + argument;
  add("argv", command);
  add("perrin", PERRIN_SDK_VERSION);
  add("libtorch", TORCH_VERSION);
  add("blas", at::get_mkl_version());
  add("onednn", at::get_mkldnn_version());
  add("device", model::device_name(model.session->device()));
  add("cpu", cpu_name());
  add("cpu_capability", at::get_cpu_capability());
  add("threads", std::to_string(at::get_num_threads()));
  add("seed", std::to_string(model.experiment.seed));
  utsname system{};
  if (uname(&system) == 0) add("system", std::string(system.sysname) + " " + system.release + " " + system.machine);
  std::error_code none;
  for (const auto& [key, value] : git_facts(std::filesystem::current_path(none))) add(key, value);
  for (const data::InputSum& sum : inputs.sums())
    add("inputs " + sum.component,
        std::to_string(sum.files) + " files, " + std::to_string(sum.bytes) + " bytes, sha256 " + sum.sha256);
  for (const char* name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PERRIN_PLUGIN_PATH",
                           "PERRIN_DATA", "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"})
    if (const char* value = std::getenv(name)) add(name, value);
  return facts;
}

std::vector<store::Plugin> plugins_used(const config::Experiment& experiment, loader::Registry& registry) {
  std::vector<store::Plugin> rows;
  for (const config::Component* component : experiment.components()) {
    const config::Factory& f = *component->factory;
    const loader::Library& library = registry.load(f.library);
    rows.push_back({component->use, component->kind, f.version, f.tier, library.file, library.sha256});
  }
  return rows;
}

}  // namespace perrin::runs
