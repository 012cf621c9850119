#include "host/config/load.hpp"

#include "host/base/digest.hpp"
#include "host/config/build.hpp"
#include "host/config/include.hpp"
#include "host/config/resolved.hpp"
#include "host/config/set.hpp"

namespace perrin::config {
namespace {

std::vector<Override> parse_overrides(const std::vector<std::string>& set, Log& log) {
  std::vector<Override> overrides;
  for (size_t i = 0; i < set.size(); ++i) {
    const Source& source = log.sources().add(override_name(i + 1), set[i]);
    if (auto parsed = parse_override(source, log)) overrides.push_back(std::move(*parsed));
  }
  return overrides;
}

std::vector<std::string> render_all(const std::vector<Diagnostic>& entries, const Sources& sources) {
  std::vector<std::string> rendered;
  for (const Diagnostic& entry : entries) rendered.push_back(render(entry, sources));
  return rendered;
}

}  // namespace

Diagnostics Loaded::error(const Location& at, std::string message, std::string hint) const {
  return Diagnostics({{Severity::error, at, std::move(message), std::move(hint)}}, *sources, file);
}

Loaded load(const std::filesystem::path& file, const std::vector<std::string>& set, const Catalogue& catalogue) {
  return load_text(read_file(file), file.string(), set, catalogue);
}

Loaded load_text(std::string text, const std::string& name, const std::vector<std::string>& set,
                 const Catalogue& catalogue) {
  Log log;
  Table root = read_with_includes(std::move(text), name, log);
  std::vector<Override> overrides = parse_overrides(set, log);
  log.throw_if_failed(name);  // what follows would complain about what could not be read
  for (Override& override : overrides) apply_override(root, std::move(override), log);
  const Draft draft = read_draft(root, name, catalogue, log);
  check_rules(draft, log);
  log.throw_if_failed(name);

  Loaded loaded;
  loaded.experiment = finish(draft);
  loaded.resolved_toml = write_toml(loaded.experiment);
  loaded.resolved_json = write_json(loaded.experiment);
  loaded.params = write_params(loaded.experiment);
  loaded.hash = sha256_hex(loaded.resolved_toml);
  loaded.warnings = render_all(log.sorted(), log.sources());
  loaded.file = name;
  loaded.sources = std::make_shared<const Sources>(log.sources());
  return loaded;
}

}  // namespace perrin::config
