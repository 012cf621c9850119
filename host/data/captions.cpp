#include "host/data/captions.hpp"

#include <algorithm>

#include "host/data/samples.hpp"
#include "host/model/fields.hpp"
#include "host/model/text_lengths.hpp"

namespace perrin::data {
namespace {

std::string line_of(const model::TextLengths& all, uint64_t count) {
  uint64_t cut = 0, longest = 0, tokens = 0, lost = 0;
  for (const uint64_t n : all.tokens) {
    cut += n > all.limit;
    longest = std::max(longest, n);
    tokens += n;
    lost += n - std::min(n, all.limit);
  }
  if (cut == 0) return {};
  char share[16];
  std::snprintf(share, sizeof share, "%.2g %%", 100 * static_cast<double>(lost) / static_cast<double>(tokens));
  const uint64_t seen = all.tokens.size();
  return "warning: conditioner \"" + all.conditioner + "\" cuts " + std::to_string(cut) + " of the dataset's " +
         (seen < count ? "first " + std::to_string(seen) + " of " : "") + std::to_string(count) + " texts to " +
         std::to_string(all.limit) + " tokens: the longest has " + std::to_string(longest) + ", and " + share +
         " of all tokens are lost";
}

}  // namespace

std::vector<std::string> cut_captions(model::Model& model, int64_t batch_size, uint64_t most) {
  const auto cuts = [](const services::Component& c) { return c.has<&perrin_text_lengths::count>(); };
  if (std::ranges::none_of(model.conditioners, cuts)) return {};
  const uint64_t count = model::dataset_count(model.dataset);
  std::vector<model::TextLengths> all;
  for_each_samples(model, std::min(most, count), batch_size, [&](const Batch& batch, const perrin_call&) {
    const std::vector<model::TextLengths> some = model::text_lengths(model, {batch.fields, {}});
    if (all.empty()) all.resize(some.size());
    for (size_t i = 0; i < some.size(); ++i) {
      all[i].conditioner = some[i].conditioner;
      all[i].limit = some[i].limit;
      all[i].tokens.insert(all[i].tokens.end(), some[i].tokens.begin(), some[i].tokens.end());
    }
  });
  std::vector<std::string> lines;
  for (const model::TextLengths& one : all)
    if (std::string line = line_of(one, count); !line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace perrin::data
