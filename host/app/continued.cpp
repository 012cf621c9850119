#include "host/app/continued.hpp"

#include <map>

#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/loader/file.hpp"

namespace perrin::app {
namespace {

struct Difference {
  std::string key, before, now;  // empty: absent
};

std::vector<Difference> differences(const config::Loaded& before, const config::Loaded& now) {
  std::map<std::string, Difference> all;
  for (const auto& [key, value] : before.params) all[key] = {key, value, ""};
  for (const auto& [key, value] : now.params) all[key].key = key, all[key].now = value;
  std::vector<Difference> found;
  for (auto& [key, difference] : all)
    if (difference.before != difference.now) found.push_back(std::move(difference));
  return found;
}

// More steps for the last stage are a longer run.
bool lengthens(const Difference& d, const config::Experiment& experiment) {
  return d.key == "stage." + experiment.stages.back().name + ".steps" && !d.before.empty() && !d.now.empty() &&
         std::stoll(d.now) > std::stoll(d.before);
}

std::string described(const std::vector<Difference>& found) {
  std::string text;
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("absent") : value; };
  for (const Difference& d : found)
    text += "\n  " + d.key + ": " + shown(d.before) + " before, " + shown(d.now) + " now";
  return text;
}

}  // namespace

std::vector<std::string> compare_experiments(const runs::Found& checkpoint, const config::Loaded& loaded,
                                             const runs::Folder& folder) {
  const auto held = checkpoint.metadata.find("config_hash");
  const std::string hash = held == checkpoint.metadata.end() ? "" : held->second;
  if (hash == loaded.hash) return {};
  if (hash == loader::sha256_of(folder.experiment()))
    return {"the run's components were updated since it was recorded: its experiment now has other keys or defaults"};
  const std::string before = runs::origin_in(checkpoint.metadata).config_toml;
  std::vector<Difference> found;
  if (!before.empty()) found = differences(load_recorded(before), loaded);
  if (found.size() == 1 && lengthens(found[0], loaded.experiment))
    return {"the run goes on to " + found[0].now + " steps instead of " + found[0].before +
            " in its last stage; a learning rate or weighting that follows the stage's length follows the new one from "
            "here"};
  if (found.empty() && !before.empty()) return {};
  throw Error("the checkpoint belongs to another experiment" + described(found), checkpoint.file.string(),
              "resume with the run's own experiment.toml, in which the last stage's steps alone may grow");
}

std::vector<std::string> compare_origins(const runs::Found& checkpoint, const runs::Origin& now,
                                         const std::vector<data::Input>& found, const runs::Folder& folder,
                                         bool accepted) {
  runs::Changes changes =
      runs::changes(runs::origin_in(checkpoint.metadata), now, runs::read_listed(folder.inputs()), found);
  std::string grave;
  for (const std::string& line : changes.grave) grave += "\n  " + line;
  if (!grave.empty() && !accepted)
    throw Error("what the run reads has changed since its checkpoint of step " +
                    std::to_string(checkpoint.progress.step) + ":" + grave,
                folder.path.string(),
                "put it back as it was, or go on with what is there now: `perrin resume " + folder.path.string() +
                    " --accept-changes`");
  changes.grave.insert(changes.grave.end(), changes.light.begin(), changes.light.end());
  return changes.grave;
}

}  // namespace perrin::app
