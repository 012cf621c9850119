#include "shard.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "names.hpp"
#include "perrin/cpp/text_file.hpp"

namespace perrin::datasets {
namespace {

// Up to the first dot behind the folders.
std::string key_of(const std::string& name) { return name.substr(0, name.find('.', name.rfind('/') + 1)); }

// The rest of the name, in lower case.
std::string ending_behind(const std::string& key, const std::string& name) {
  std::string ending = name.substr(key.size());
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

// Where a member goes; null: it is passed over.
std::optional<TarMember> ShardSample::*place_of_ending(const std::string& ending) {
  if (is_image_ending(ending)) return &ShardSample::image;
  return ending == ".cls" ? &ShardSample::cls : ending == ".txt" ? &ShardSample::caption : nullptr;
}

void pass_over(const std::string& name, const std::string& ending, Tally& tally) {
  const std::string last = ending_of(name);
  const bool image = is_image_ending(last) || is_other_image_ending(last);
  if (is_hidden(name)) {
    if (image) tally.add(reason::hidden, name);
  } else if (is_other_image_ending(ending)) {
    tally.add(reason::other_image, name);
  } else if (image || last == ".cls" || last == ".txt") {
    tally.add("passed over: names with a dot before their ending (a key ends at the first dot of a name)", name);
  } else {
    tally.add("passed over: other endings", name);
  }
}

}  // namespace

std::vector<std::string> list_shards(const std::filesystem::path& folder, Tally& tally) {
  std::vector<std::string> shards;
  std::error_code error, ignored;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string(), ending = ending_of(name);
    const bool packed = ending == ".tgz" || (ending == ".gz" && ending_of(name.substr(0, name.size() - 3)) == ".tar");
    if (!packed && ending != ".tar") continue;
    if (is_hidden(name))
      tally.add(reason::hidden, name);
    else if (packed)
      tally.add("passed over: compressed shards (unpack them with gunzip)", name);
    else if (entry->is_regular_file(ignored))
      shards.push_back(entry->path().string());
    else
      tally.add("passed over: shards that are no files", name);
  }
  if (error) throw Failure(PERRIN_IO, folder.string() + ": " + error.message());
  if (shards.empty()) throw Failure(PERRIN_INVALID_DATA, folder.string() + " holds no .tar file" + tally.text());
  std::sort(shards.begin(), shards.end());
  return shards;
}

std::vector<ShardSample> list_samples(const RegularFile& shard, Tally& tally) {
  std::map<std::string, size_t> by_key;
  std::vector<ShardSample> samples;
  for (TarMember& member : list_tar(shard, tally)) {
    const std::string key = key_of(member.name), ending = ending_behind(key, member.name);
    const auto place = place_of_ending(ending);
    if (is_hidden(member.name) || !place) {
      pass_over(member.name, ending, tally);
      continue;
    }
    const auto [entry, fresh] = by_key.emplace(key, samples.size());
    if (fresh) samples.emplace_back();
    std::optional<TarMember>& to = samples[entry->second].*place;
    if (to)
      throw Failure(PERRIN_INVALID_DATA,
                    shard.path() + ": " + printable(member.name) +
                        (to->name == member.name ? " twice" : " and " + printable(to->name) + " in one sample"));
    to = std::move(member);
  }
  std::erase_if(samples, [&](const ShardSample& sample) {
    if (!sample.image) tally.add("samples without an image", (sample.caption ? sample.caption : sample.cls)->name);
    return !sample.image;
  });
  return samples;
}

}  // namespace perrin::datasets
