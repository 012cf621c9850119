#include "host/config/suggest.hpp"

#include <algorithm>
#include <cctype>

#include "host/config/text.hpp"

namespace perrin::config {
namespace {

constexpr size_t kLongest = 64;  // longer words are no typing mistakes
constexpr size_t kListed = 24;

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

int edit_distance(std::string_view left, std::string_view right) {
  const std::string a = folded(left), b = folded(right);
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongest) return "";
  std::string best, part;
  int best_distance = static_cast<int>(kLongest);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const int distance = edit_distance(word, candidate);
    const int cutoff = static_cast<int>(std::max(word.size(), candidate.size())) / 3;
    if (distance <= cutoff && distance < best_distance) best = candidate, best_distance = distance;
    const bool contains = candidate.starts_with(word) || candidate.ends_with(word);
    if (word.size() >= 3 && contains && part.empty()) part = candidate;
  }
  return best.empty() ? part : best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates, std::string_view label) {
  if (candidates.empty()) return "";
  const std::string near = nearest(word, candidates);
  const std::string list = std::string(label) + ": " + join(candidates, kListed);
  return near.empty() ? list : "did you mean " + quote(near) + "?  " + list;
}

}  // namespace perrin::config
