// A command's options as plain values, for whatever writes them down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/app/options.hpp"

namespace perrin::app {

struct Option {
  std::string name;      // without dashes
  std::string value;     // the value's name; empty: it takes none
  std::string fallback;  // the default, if --help shows one
  std::string doc;
  bool repeatable = false;
};

std::vector<Option> option_list(const Command& command);

// What stands for a value of this name: files, folders, what `perrin plugin list` with these arguments names, words.
struct Offer {
  bool files = false, folders = false;
  std::optional<std::string> ids;
  std::vector<std::string> words;

  bool nothing() const { return !files && !folders && !ids && words.empty(); }
};

Offer offer_of(const std::string& value);

// The words of `all` with a space between.
std::string joined(const std::vector<std::string>& all);

}  // namespace perrin::app
