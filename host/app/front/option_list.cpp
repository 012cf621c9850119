#include "host/app/front/option_list.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "host/app/commands.hpp"
#include "host/loader/registry.hpp"

namespace perrin::app {
namespace {

// COMMAND: what may come first; ACTION: what may come second.
std::vector<std::string> names_of_commands(bool second) {
  std::vector<std::string> names;
  for (const Row& row : commands()) {
    const size_t space = row.name.find(' ');
    if ((space != std::string::npos) == second) names.push_back(second ? row.name.substr(space + 1) : row.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

void add(const std::string& name, Offer& offer) {
  if (name == "FILE" || name == "RUN") offer.files = true;  // a run is a folder, or its run.h5
  if (name == "FOLDER") offer.folders = true;
  if (name == "ID") offer.ids = "";
  if (name == "KIND") offer.words = loader::known_kinds();
  for (const std::string& kind : loader::known_kinds())
    if (name == in_capitals(kind)) offer.ids = " --kind " + kind;
  if (name == "COMMAND" || name == "ACTION") offer.words = names_of_commands(name == "ACTION");
  if (!name.empty() && std::islower(static_cast<unsigned char>(name[0]))) offer.words.push_back(name);
}

}  // namespace

std::vector<Option> option_list(const Command& command) {
  std::vector<Option> all;
  for (const auto& each : command.description.options()) {
    Option option{each->long_name(), "", "", each->description(), each->semantic()->is_composing()};
    if (each->semantic()->max_tokens() > 0) {
      option.value = each->semantic()->name();  // "cpu|cuda|auto (=auto)"
      if (const size_t at = option.value.find(" (="); at != std::string::npos) {
        option.fallback = option.value.substr(at + 3, option.value.size() - at - 4);
        option.value.resize(at);
      }
    }
    all.push_back(std::move(option));
  }
  return all;
}

Offer offer_of(const std::string& value) {
  Offer offer;
  std::string bare = value;
  std::erase_if(bare, [](char c) { return c == '[' || c == ']'; });
  std::istringstream parts(bare);
  for (std::string part; std::getline(parts, part, '|');) add(part, offer);
  return offer;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& each : all) text += (text.empty() ? "" : " ") + each;
  return text;
}

}  // namespace perrin::app
