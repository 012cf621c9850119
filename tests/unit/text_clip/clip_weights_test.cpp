// clip-text's files: vocabulary, merges, weights.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/text_clip/clip.hpp"

namespace perrin::testing {
namespace {

const std::string kData = PERRIN_CLIP;

Clip golden(const std::string& weights) {
  return {.vocabulary = kData + "/vocab.json", .merges = kData + "/merges.txt", .weights = weights};
}

void expect(const Clip& clip, const std::string& part) {
  const std::string message = refusal([&] { build(clip); });
  EXPECT_NE(message.find(part), std::string::npos) << "\"" << message << "\" lacks \"" << part << "\"";
}

class File {
 public:
  File(const std::string& name, const std::string& text)
      : path((std::filesystem::temp_directory_path() / ("perrin-clip-" + std::to_string(getpid()) + name)).string()) {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  const std::string path;
};

TEST(ClipFiles, say_what_is_missing) {
  const Clip given = golden("");
  expect({.vocabulary = "/none/vocab.json", .merges = given.merges}, "vocabulary = \"/none/vocab.json\"");
  expect({.merges = "/none/merges.txt"}, "leave `vocabulary` and `merges` out: a small vocabulary is built in");
  expect({.vocabulary = given.vocabulary}, "`vocabulary` needs `merges`");
  expect(golden("/none/model.safetensors"), "/none/model.safetensors");
}

TEST(ClipFiles, say_what_is_wrong_in_them) {
  const Clip given = golden("");
  const File merges("merges", "#version: 0.2\na b\nc\n"), three("three", "a b c\n"), list("list", "[1, 2]"),
      negative("negative", "{\"a\": -1}");
  expect({.merges = merges.path}, "line 3: expected two tokens and a space between them (merges.txt), got \"c\"");
  expect({.merges = three.path}, "line 1: expected two tokens");
  expect({.vocabulary = list.path, .merges = given.merges}, "expected a JSON object of tokens and their numbers");
  expect({.vocabulary = negative.path, .merges = given.merges}, "token \"a\" has -1");
}

TEST(ClipFiles, say_that_weights_are_of_another_model) {
  const std::string weights = kData + "/gelu.safetensors";
  expect({.weights = weights}, "its table has 520 tokens, this one 1031: set entries = 520");
  expect({.weights = weights, .entries = 520}, "`entries` makes room for 520");
  Clip built_in = {.weights = weights};
  built_in.entries = 49408;
  expect(built_in, "its table has 520 tokens, this one 1031");
  Clip wide = golden(weights);
  wide.width = 64;
  expect(wide, "[520, 32]");
  Clip deep = golden(weights);
  deep.layers = 4;
  expect(deep, "encoder.layers.3.");
  expect({.weights = kData + "/../../denoisers/data/unet_2d.safetensors"}, "this is not a CLIPTextModel");
}

// merges alone are CLIP's way to write a vocabulary down.
TEST(ClipFiles, make_the_vocabulary_from_merges_alone) {
  const at::NoGradGuard no_grad;
  Clip both = golden(kData + "/gelu.safetensors"), merges = both;
  merges.vocabulary.clear();
  const Built a = build(both), b = build(merges);
  const std::vector<std::string> texts = {"red circle", "the blue"};
  EXPECT_TRUE(encode(a.bound.component, texts).sequence.equal(encode(b.bound.component, texts).sequence));
}

}  // namespace
}  // namespace perrin::testing
