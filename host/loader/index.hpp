// What every library in the search roots offers, without loading any of them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/config/catalogue.hpp"
#include "host/loader/probe.hpp"
#include "host/loader/search.hpp"

namespace perrin::loader {

// One file of a search root.
struct Listed {
  std::string file;    // canonical path
  std::string sha256;  // empty where the file cannot be read
  std::string tier;    // "A" or "B"; empty where it is no plugin
  bool own = false;    // of the program's own folder, the first root: its names go before everybody's
  std::vector<config::Factory> components;
  std::optional<Problem> problem;  // why it cannot be used; it stays listed, and never stops the others
};

// Made from a cache by content: <cache>/<sha256 of library and host build>.json. A library that is not there yet is
// probed in a process of its own (perrin-probe), several at a time; a broken cache file is made again. A file whose
// size, times and inode are those of the last look is not even hashed, so that a warm index costs milliseconds.
class Index {
 public:
  // Throws perrin::Error only if the probe cannot be started.
  static Index scan(const Places& places = default_places());

  const std::vector<Listed>& libraries() const { return libraries_; }

  // Everything that has a description, for config::load. Of an id that two libraries offer the first is in it;
  // require() then refuses it.
  config::Catalogue catalogue() const;

  // Throws perrin::Error if this component cannot be used: its library is unusable, or another library offers the same
  // id (both files are named), unless it is the program's own, which goes before the other. A failure of an earlier probe is tried again first. Unknown ids pass.
  void require(const std::string& kind, const std::string& id);

  // One line for each component that two libraries offer: `sampler "ddim" is offered by a.so and b.so`.
  std::vector<std::string> conflicts() const;

  // One line for each unusable library ("x.so: reason") and each folder of PERRIN_PLUGIN_PATH that is not there, for a
  // message about an unknown component. Empty if there is none.
  std::string unusable_text() const;

 private:
  // The other library that offers it with another content, or null.
  const Listed* rival(const Listed& first, const std::string& kind, const std::string& id) const;

  Places places_;
  std::vector<Listed> libraries_;
};

// How long a probe may take, in seconds: PERRIN_PROBE_TIMEOUT, else 20.
double probe_seconds();

}  // namespace perrin::loader
