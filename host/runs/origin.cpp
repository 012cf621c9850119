#include "host/runs/origin.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/model/device.hpp"
#include "host/model/given_weights.hpp"
#include "host/runs/provenance.hpp"
#include "host/store/atomic_file.hpp"

namespace perrin::runs {
namespace {

using nlohmann::json;

constexpr const char* kOrigin = "origin";
constexpr size_t kListed = 100'000, kNamed = 8;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string number(uint64_t n, const std::string& of) { return std::to_string(n) + " " + of + (n == 1 ? "" : "s"); }

std::string title(const data::InputSum& sum) { return sum.component.empty() ? "the guide's run" : sum.component; }

// "1.png changed, 2.png is new, 3.png is gone, and 5 more"; empty if the lists do not say.
std::string named_changes(const std::string& component, const std::vector<data::Input>& before,
                          const std::vector<data::Input>& now) {
  std::map<std::string, std::pair<std::string, std::string>> sums;  // name -> sums before and now
  for (const data::Input& i : before)
    if (i.component == component) sums[i.name].first = i.sha256;
  if (sums.empty()) return "";
  for (const data::Input& i : now)
    if (i.component == component) sums[i.name].second = i.sha256;
  std::string text;
  size_t n = 0;
  for (const auto& [name, pair] : sums) {
    if (pair.first == pair.second || n++ >= kNamed) continue;
    text += (text.empty() ? "" : ", ") + name;
    text += pair.first.empty() ? " is new" : pair.second.empty() ? " is gone" : " changed";
  }
  return n > kNamed ? text + ", and " + std::to_string(n - kNamed) + " more" : text;
}

std::string input_change(const data::InputSum& before, const data::InputSum& now, const std::string& named) {
  const std::string counts = number(before.files, "file") + " of " + number(before.bytes, "byte") + " before, " +
                             number(now.files, "file") + " of " + number(now.bytes, "byte") + " now";
  return "the data of " + title(now) + ": " + (named.empty() ? counts : named + " (" + counts + ")");
}

std::string plugin_change(const store::Plugin& before, const store::Plugin& now) {
  const std::string versions =
      before.version == now.version ? now.version : before.version + " before, " + now.version + " now";
  return "the plugin of " + now.kind + " \"" + now.id + "\" (" + versions + "): " + now.file + " has sha256 " +
         now.sha256.substr(0, 16) + "..., before " + before.sha256.substr(0, 16) + "...";
}

void add_inputs(Changes& c, const Origin& before, const Origin& now, const std::vector<data::Input>& listed,
                const std::vector<data::Input>& found) {
  const auto of = [](const std::vector<data::InputSum>& sums, const std::string& id) {
    const auto at = std::ranges::find(sums, id, &data::InputSum::component);
    return at == sums.end() ? data::InputSum{id, 0, 0, ""} : *at;
  };
  std::vector<data::InputSum> all = now.inputs;
  const auto only_begun_with = [](const std::string& reader) {  // and not needed since
    return reader.starts_with(data::kStage) || reader.starts_with(model::kGivenWeights);
  };
  for (const data::InputSum& sum : before.inputs)
    if (of(now.inputs, sum.component).sha256.empty() && !only_begun_with(sum.component))
      all.push_back({sum.component, 0, 0, ""});
  for (const data::InputSum& sum : all)
    if (const data::InputSum was = of(before.inputs, sum.component); was.sha256 != sum.sha256)
      c.grave.push_back(input_change(was, sum, named_changes(sum.component, listed, found)));
  if (!now.dataset_known)
    c.light.push_back("the dataset does not say what it reads, so nobody knows whether its data are those of before");
}

void add_plugins(Changes& c, const Origin& before, const Origin& now) {
  std::vector<std::string> told;  // libraries: one line for each
  for (size_t i = 0; i < now.plugins.size(); ++i) {
    const store::Plugin& plugin = now.plugins[i];
    const auto same = [&](const store::Plugin& p) { return p.kind == plugin.kind && p.id == plugin.id; };
    const auto was = std::ranges::find_if(before.plugins, same);
    if (was == before.plugins.end() || was->sha256 == plugin.sha256 || std::ranges::count(told, plugin.file) > 0)
      continue;
    c.grave.push_back(plugin_change(*was, plugin));
    told.push_back(plugin.file);
  }
}

}  // namespace

Origin origin_of(const model::Model& model, const data::InputFiles& inputs, const config::Loaded& loaded,
                 loader::Registry& registry) {
  return {loaded.resolved_toml,
          inputs.sums(),
          inputs.dataset_known,
          plugins_used(loaded.experiment, registry),
          {{"threads", std::to_string(at::get_num_threads())},
           {"device", model::device_name(model.session->device())},
           {"processor", at::get_cpu_capability()},
           {"libtorch", TORCH_VERSION}}};
}

store::Metadata to_metadata(const Origin& origin) {
  json inputs = json::array(), plugins = json::array();
  for (const data::InputSum& i : origin.inputs) inputs.push_back({i.component, i.files, i.bytes, i.sha256});
  for (const store::Plugin& p : origin.plugins) plugins.push_back({p.kind, p.id, p.version, p.file, p.sha256});
  return {{kOrigin, dump({{"config", origin.config_toml},
                          {"inputs", inputs},
                          {"dataset_known", origin.dataset_known},
                          {"plugins", plugins},
                          {"machine", origin.machine}})}};
}

Origin origin_in(const store::Metadata& metadata) try {
  const auto found = metadata.find(kOrigin);
  const json held = found == metadata.end() ? json() : json::parse(found->second, nullptr, false);
  if (!held.is_object()) return {};
  Origin origin;
  origin.config_toml = held.at("config");
  origin.dataset_known = held.at("dataset_known");
  for (const json& i : held.at("inputs")) origin.inputs.push_back({i.at(0), i.at(1), i.at(2), i.at(3)});
  for (const json& p : held.at("plugins")) origin.plugins.push_back({p.at(1), p.at(0), p.at(2), "", p.at(3), p.at(4)});
  origin.machine = held.at("machine");
  return origin;
} catch (const json::exception&) {
  return {};
}

Changes changes(const Origin& before, const Origin& now, const std::vector<data::Input>& listed,
                const std::vector<data::Input>& found) {
  Changes c;
  if (before.config_toml.empty()) {
    c.light.push_back(
        "the checkpoint is of a version that did not note data and plugins: whether they changed is not known");
    return c;
  }
  add_inputs(c, before, now, listed, found);
  add_plugins(c, before, now);
  for (const auto& [key, value] : now.machine)
    for (const auto& [old_key, old] : before.machine)
      if (key == old_key && value != old)
        c.light.push_back(key + ": " + old + " before, " + value +
                          " now; the bits will be others than those of a run that "
                          "was never stopped");
  return c;
}

void write_inputs(const std::filesystem::path& file, const data::InputFiles& inputs) {
  std::string text;
  for (size_t i = 0; i < std::min(inputs.all.size(), kListed); ++i) {
    const data::Input& input = inputs.all[i];
    text +=
        dump({{"component", input.component}, {"name", input.name}, {"bytes", input.bytes}, {"sha256", input.sha256}}) +
        "\n";
  }
  if (inputs.all.size() > kListed) text += dump({{"unlisted", inputs.all.size() - kListed}}) + "\n";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  store::write_atomically(file, parts);
}

std::vector<data::Input> read_listed(const std::filesystem::path& file) try {
  std::vector<data::Input> listed;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const json i = json::parse(line);
    if (i.contains("unlisted")) return {};
    listed.push_back({i.at("component"), i.at("name"), i.at("bytes"), i.at("sha256")});
  }
  return listed;
} catch (const json::exception&) {
  return {};
}

}  // namespace perrin::runs
