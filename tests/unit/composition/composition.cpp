#include "tests/unit/composition/composition.hpp"

#include <cstdlib>

#include "host/loader/index.hpp"
#include "host/services/host.hpp"

namespace perrin::test {

const config::Catalogue& catalogue() {
  static const config::Catalogue catalogue =
      loader::Index::scan({{PERRIN_PLUGINS, PERRIN_TEST_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX}).catalogue();
  return catalogue;
}

loader::Registry& registry() {
  static auto* registry = new loader::Registry(services::loader_host());  // plugins outlive everything
  return *registry;
}

Composition compose(const std::string& text, const std::vector<std::string>& set, bool conditioned) {
  const std::string conditioner = conditioned ? "[conditioner]\nuse='class-label'\nwidth=16\ndrop=0.5\n" : "";
  Composition c{
      config::load_text("[experiment]\nname='t'\nseed=5\n" + conditioner + "[schedule]\nuse='linear'\n" + text,
                        "t.toml", set, catalogue()),
      nullptr, nullptr};
  c.model = std::make_unique<Model>(c.loaded, registry());
  c.losses = std::make_unique<Losses>(*c.model, c.loaded, registry());
  c.model->build_parameters(c.losses->trainable(c.loaded.experiment));
  return c;
}

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "perrin-run-XXXXXX").string();
  path = ::mkdtemp(name.data());
}

}  // namespace perrin::test
