#include "token_rows.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <perrin/host/artifact.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace text {

using perrin::Failure;

Framing::Framing(Encoder encoder, int64_t length) : encoder_(std::move(encoder)), length_(length), cut_(length) {}

Framing::Text Framing::encoded(const Batch& batch, size_t b) const {
  Text text;
  if (encoder_.marks.first) text = {{*encoder_.marks.first}, {1}};
  for (const Run& run : runs(batch.texts[b], batch.weights[b])) {
    const std::vector<int64_t> tokens = encoder_.encode(run.text);
    text.tokens.insert(text.tokens.end(), tokens.begin(), tokens.end());
    text.weights.resize(text.tokens.size(), run.weight);
  }
  return text;
}

std::vector<uint64_t> Framing::lengths(const Batch& batch) const {
  std::vector<uint64_t> lengths;
  for (size_t b = 0; b < batch.texts.size(); ++b) lengths.push_back(encoded(batch, b).tokens.size() + 1);
  return lengths;
}

Rows Framing::operator()(const perrin_call& call, const Batch& batch) {
  const auto n = static_cast<int64_t>(batch.texts.size());
  Rows rows{at::full({n, length_}, encoder_.marks.padding, at::kLong), at::zeros({n, length_}, at::kBool), {}, {}};
  at::Tensor weights = at::ones({n, length_}, at::kFloat);
  bool weighted = false;
  std::vector<int64_t> whole;
  for (int64_t b = 0; b < n; ++b) {
    auto [own, weight] = encoded(batch, static_cast<size_t>(b));
    weighted = weighted || std::ranges::any_of(weight, [](float w) { return w != 1; });
    whole.push_back(static_cast<int64_t>(own.size()) + 1);
    const int64_t kept = std::min(whole.back(), length_);
    own.resize(static_cast<size_t>(kept - 1));
    own.push_back(encoder_.marks.last);
    std::copy(own.begin(), own.end(), rows.tokens.mutable_data_ptr<int64_t>() + b * length_);
    std::copy_n(weight.begin(), kept - 1, weights.mutable_data_ptr<float>() + b * length_);
    std::fill_n(rows.real.mutable_data_ptr<bool>() + b * length_, kept, true);
    rows.lengths.push_back(kept);
  }
  if (call.training) cut_.note(whole);
  if (weighted) rows.weights = weights;
  return rows;
}

std::string whole_file(const std::string& file) {
  perrin_text found{};
  perrin::check(perrin::service<perrin_host_artifact>(PERRIN_HOST_ARTIFACT)->find(perrin::text(file), &found));
  const std::string path(perrin::view(found));
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Failure(PERRIN_IO, path + ": " + std::strerror(errno));
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) throw Failure(PERRIN_IO, path + ": cannot be read to its end");
  return bytes;
}

std::vector<std::string> lines_of(const std::string& file) {
  const std::string bytes = whole_file(file);
  std::vector<std::string> lines;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', at), bytes.size());
    lines.push_back(bytes.substr(at, end - at));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

void require_one_of(const perrin::Config& config, const char* whole, const std::vector<const char*>& parts) {
  const auto given = [&](const char* key) { return !config.string(key).empty(); };
  const auto n = static_cast<size_t>(std::ranges::count_if(parts, given));
  if (given(whole) ? n == 0 : n == parts.size()) return;
  std::string names;
  for (const char* part : parts) names += (names.empty() ? "`" : " and `") + std::string(part) + "`";
  throw Failure(PERRIN_INVALID_CONFIG, given(whole) && n > 0
                                           ? "`" + std::string(whole) + "` says what " + names + " say: leave one out"
                                           : "it needs the model's vocabulary: give `" + std::string(whole) + "`, or " + names);
}

void require_rows(int64_t tokens, int64_t rows) {
  if (tokens <= rows) return;
  throw Failure(PERRIN_INVALID_CONFIG, "the tokenizer has " + std::to_string(tokens) +
                                           " tokens, and vocabulary_size = " + std::to_string(rows) + " is less");
}

void require_positions(int64_t length, int64_t positions) {
  if (length <= positions) return;
  throw Failure(PERRIN_INVALID_CONFIG, "tokens = " + std::to_string(length) + " is more than positions = " +
                                           std::to_string(positions) + ", the rows of the table of positions");
}

}  // namespace text
