#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "host/config/load.hpp"
#include "tests/unit/config/catalogue_fixture.hpp"

namespace perrin::config::test {
namespace {

// PERRIN_UPDATE_DOCS=1 writes the file instead.
TEST(Reference, TheDocumentIsNotStale) {
  const std::string path = PERRIN_SOURCE_DIR "/docs/reference/experiment.md";
  if (std::getenv("PERRIN_UPDATE_DOCS") != nullptr) std::ofstream(path) << experiment_reference();
  std::stringstream held;
  held << std::ifstream(path).rdbuf();
  EXPECT_EQ(held.str(), experiment_reference()) << "run config_test with PERRIN_UPDATE_DOCS=1 and commit " << path;
}

TEST(Reference, ItsExampleLoads) {
  const std::string text = experiment_reference();
  const size_t from = text.find("```toml\n") + 8;
  EXPECT_EQ(load_text(text.substr(from, text.find("```", from) - from), "example", {}, catalogue()).experiment.name,
            "moons");
}

}  // namespace
}  // namespace perrin::config::test
