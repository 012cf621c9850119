#include "host/config/host_tables.hpp"
#include "host/config/load.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

constexpr std::string_view kHead = R"(# The experiment file

Generated from the tables that the checks use (`host/config/host_tables.cpp`, `reference.cpp`); a test fails when it is stale.

One TOML file composes one experiment. `perrin check FILE` says whether it holds together, and what it comes to.

```toml
[experiment]
name = "moons"

[dataset]
use = "gaussian-mixture"

[denoiser]
use = "mlp"

[schedule]
use = "linear"
```

## Rules

- `use` names a component: a plain name is built in, `vendor.name` comes from a plugin. Every other key of such a table is declared by the
  component: `perrin plugin show NAME` lists them. A table without `use` takes the default below.
- An unknown key, a wrong type and a value out of range are errors. All errors are told at once, with their places, before anything runs.
- An integer serves where a number is wanted, and a whole number (`1e5`) where an integer is wanted. Numbers are finite, except where
  infinity is a key's default. Lists hold elements of one type; the range and the choices of a key hold for each element.
- `include = "base.toml"` (a path relative to the including file) reads that file first and merges this one over it: tables merge key by key, lists
  and lists of tables are replaced whole. An included file may include another one.
- `--set key=value` comes last and wins: file < `--set`, in order. The key is the path of tables (`--set sampler.steps=20`); an entry of a
  list of tables is addressed by its `name`, else its `use`, else its index from 0, and a lone one needs none (`--set stage.steps=50`,
  `--set stage.diffusion.loss.l2.weight=2`). The value is TOML; a bare word is text (`--set schedule.use=cosine`).
- When an including file or `--set` changes `use`, keys that were written for the former component and that the new one does not have are ignored
  with a warning; keys that both have stay.
- A file is UTF-8 and at most 512 KiB. Columns in messages count characters.
)";

std::string allowed_text(const Key& key) {
  std::vector<std::string> choices;
  for (const std::string& choice : key.choices) choices.push_back("`" + choice + "`");
  if (!choices.empty()) return join(choices);
  return range_text(key);
}

std::string key_table(const std::vector<Key>& keys) {
  std::string text = "| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
  for (const Key& key : keys) {
    const std::string value = key.default_value ? "`" + to_toml(*key.default_value) + "`"
                              : key.required    ? "required"
                                                : "";
    text += "| `" + key.name + "` | " + std::string(type_name(key.type)) + " | " + value + " | " + allowed_text(key) +
            " | " + key.doc + " |\n";
  }
  return text;
}

std::string component_table() {
  std::string text = "\n## Components\n\n| table | default `use` | what it is |\n|---|---|---|\n";
  for (const Role& role : roles()) {
    const std::string use = role.required              ? "required"
                            : role.default_use.empty() ? "absent"
                                                       : "`" + std::string(role.default_use) + "`";
    text += "| `[" + std::string(role.kind) + "]` | " + use + " | " + std::string(role.doc) + " |\n";
  }
  return text;
}

std::string section(const Factory& table) {
  return "\n## `" + table.id + "`: " + table.doc + "\n\n" + key_table(table.keys);
}

}  // namespace

std::string experiment_reference() {
  std::string text(kHead);
  text += section(experiment_table()) + component_table() + section(stage_table());
  text += "\nA file without `[[stage]]` has one with these defaults.\n";
  for (const Factory& optimizer : optimizers())
    text +=
        "\n### `optimizer = { use = \"" + optimizer.id + "\" }`: " + optimizer.doc + "\n\n" + key_table(optimizer.keys);
  text += section(loss_table()) + "\nThe keys of the loss itself stand beside them.\n";
  text += "\nAn adversary, such as `adversarial`, has parameters of its own: `optimizer = { ... }` in its table trains them; "
          "without it the stage's settings do.\n";
  text += section(conditioner_table()) + "\nThe keys of the conditioner itself stand beside it.\n";
  text += section(encoder_table());
  text += section(sampler_table());
  text += section(weights_table()) +
          "\nA component whose own keys have `weights`, such as `clip-text`, reads other programs' files itself.\n";
  return text + section(samples_table());
}

}  // namespace perrin::config
