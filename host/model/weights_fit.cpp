#include "host/model/weights_fit.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"
#include "host/services/finite.hpp"
#include "host/services/weights.hpp"
#include "perrin/host/params.h"

namespace perrin::model {
namespace {

using Names = std::vector<std::string>;

constexpr size_t kListed = 8;  // faults in a message

std::string shape_of(at::IntArrayRef sizes) { return nlohmann::json(sizes.vec()).dump(); }

// What stands before the component's names in the file: what most of them have in common. Empty where none is there.
std::string prefix_in(const store::SafeTensors& file, const ParameterGroup& group) {
  std::map<std::string, size_t> votes;
  const Names held = file.names();
  for (const Parameter& p : group.parameters) {
    const std::string name = own_name(group, p);
    for (const std::string& candidate : held)
      if (candidate == name || candidate.ends_with("." + name))
        ++votes[candidate.substr(0, candidate.size() - name.size())];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  if (most == votes.end()) return "";
  const auto as_many = std::ranges::count(votes, most->second, [](const auto& vote) { return vote.second; });
  if (as_many == 1 || most->first.empty()) return most->first;
  throw Error(
      "the names stand behind several prefixes: \"" + most->first + "\" and " + std::to_string(as_many - 1) + " more",
      {}, "write the component's own tensors into a file of their own");
}

// The names that diffusers has for rows of one product here: to_q, to_k and to_v of "to_qkv"; else none.
Names parts_of(const std::string& name) {
  for (const std::string letters : {"qkv", "kv"}) {
    const size_t at = name.find("to_" + letters + ".");
    if (at == name.npos) continue;
    Names parts;
    for (const char letter : letters)
      parts.push_back(name.substr(0, at + 3) + letter + name.substr(at + 3 + letters.size()));
    return parts;
  }
  return {};
}

}  // namespace

bool is_saved(const Parameter& p) { return p.tied_to < 0 && p.role != PERRIN_SCRATCH; }

std::string own_name(const ParameterGroup& group, const Parameter& p) { return p.name.substr(group.kind.size() + 1); }

WeightsFit::WeightsFit(const config::Component& component, const ParameterGroup& group, const store::SafeTensors& file)
    : component_(component), group_(group), file_(file), prefix_(prefix_in(file, group)) {
  for (const Parameter& p : group.parameters) check(p);
  for (const std::string& name : file.names())
    if (name.starts_with(prefix_) && name != kWeightsState && !known(name.substr(prefix_.size())))
      unexpected_.push_back(name);
}

void WeightsFit::require() const {
  Names faults = misshapen_;
  for (const std::string& name : missing_) {
    const std::string near = config::nearest(name, unexpected_);
    faults.push_back("missing " + name + (near.empty() ? "" : "; did the file mean \"" + near + "\"?"));
  }
  for (const std::string& name : unexpected_) faults.push_back("unexpected " + name);
  if (faults.empty()) return;
  std::string text = "the weights do not fit (" + std::to_string(faults.size()) + " faults):";
  for (size_t i = 0; i < faults.size() && i < kListed; ++i) text += "\n    " + faults[i];
  if (faults.size() > kListed) text += "\n    and " + std::to_string(faults.size() - kListed) + " more";
  throw Error(text, {}, difference());
}

at::Tensor WeightsFit::value(const Parameter& p) const {
  const std::string name = prefix_ + own_name(group_, p);
  if (const store::TensorView* held = file_.find(name)) return services::copy_of(*held);
  std::vector<at::Tensor> parts;
  for (const std::string& part : parts_of(name)) {
    const store::TensorView* held = file_.find(part);
    if (!held || held->shape.empty()) return {};
    parts.push_back(services::copy_of(*held));
    if (parts.back().sizes().slice(1) != parts.front().sizes().slice(1)) return {};
  }
  return parts.empty() ? at::Tensor() : at::cat(parts);
}

bool WeightsFit::known(const std::string& name) const {
  return std::ranges::any_of(group_.parameters, [&](const Parameter& p) {
    const std::string own = own_name(group_, p);
    return own == name || std::ranges::count(parts_of(own), name) > 0;
  });
}

void WeightsFit::check(const Parameter& p) {
  if (!is_saved(p)) return;
  const std::string name = prefix_ + own_name(group_, p);
  const at::Tensor held = value(p);
  if (!held.defined())
    missing_.push_back(name);
  else if (held.sizes() != at::IntArrayRef(p.sizes))
    misshapen_.push_back(name + " is " + shape_of(held.sizes()) + " in the file and " + shape_of(p.sizes) + " here");
  else if (!services::all_finite(held))
    misshapen_.push_back(name + " has a value that is not finite");
}

// The keys with which the file's component was made otherwise, where it says so.
std::string WeightsFit::difference() const {
  const auto found = file_.metadata().find("perrin." + component_.kind + ".config");
  const auto made = nlohmann::json::parse(found == file_.metadata().end() ? "" : found->second, nullptr, false);
  std::string text;
  if (made.is_object())
    for (const auto& [key, value] : component_.values)
      if (const auto own = made.find(key); own != made.end() && *own != config::to_json(value))
        text += (text.empty() ? "" : ", ") + key + " = " + own->dump();
  return text.empty() ? "`perrin weights inspect FILE` lists what it holds; give [" + component_.kind +
                            "] the keys that it was made with"
                      : "the file was made with " + text;
}

}  // namespace perrin::model
