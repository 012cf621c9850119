// The tokens of CLIP's vocabulary of 49,408 entries, on 390 texts, by transformers' CLIPTokenizer and CLIP's own.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "plugins/conditioners/clip_bpe.hpp"

namespace text {
namespace {

TEST(ClipBpe, gives_the_peers_tokens) {
  std::ifstream file(std::string(PERRIN_CLIP) + "/tokens.json");
  const auto golden = nlohmann::json::parse(file);
  Merges merges;
  for (const auto& pair : golden["merges"]) merges.emplace_back(pair[0], pair[1]);
  ClipBpe bpe(golden["vocabulary"].get<Vocabulary>(), merges), html(golden["vocabulary"].get<Vocabulary>(), merges, true);
  EXPECT_EQ(bpe.start(), 49406);
  EXPECT_EQ(bpe.end(), 49407);
  EXPECT_EQ(bpe.entries(), 49408);

  std::map<std::string, int> texts;
  size_t tokens = 0;
  for (const auto& one : golden["cases"]) {
    const auto text = one["text"].get<std::string>();
    const auto expected = one["tokens"].get<std::vector<int64_t>>();
    EXPECT_EQ((one["peer"] == "clip" ? html : bpe).encode(text), expected) << one["peer"] << ": " << one["text"];
    ++texts[one["peer"]];
    tokens += expected.size();
  }
  for (const auto& [peer, n] : texts) std::printf("%s: %d texts\n", peer.c_str(), n);
  std::printf("%zu tokens\n", tokens);
  EXPECT_GE(texts["both"], 300);
  EXPECT_GE(texts["clip"], 14) << "HTML's references";
}

}  // namespace
}  // namespace text
