#include "text.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <perrin/host/log.h>

#include <algorithm>

namespace text {

using perrin::Failure;
using perrin::Key;

namespace {

bool is_text(const perrin_field& field) { return field.spec.dtype == PERRIN_UINT8 && field.spec.rank == 1; }

std::vector<float> row(const at::Tensor& weights, int64_t i, size_t length) {  // weights: [B, length] float32
  const float* first = weights.const_data_ptr<float>() + i * weights.size(1);
  std::vector<float> result(first, first + length);
  const auto one = [](float w) { return w == 1; };
  return std::all_of(result.begin(), result.end(), one) ? std::vector<float>() : result;
}

}  // namespace

std::vector<Key> Source::keys(std::vector<Key> own) {
  own.push_back(Key::string("field", "\"caption\"", "the dataset's field that holds the text"));
  own.push_back(Key::number("drop", "0.1", "probability that training hides a sample's text").min(0).max(1));
  own.push_back(Key::string("null", "\"empty\"",
                            "what stands where there is no text: empty, the encoding of the empty text, or learnt, a "
                            "condition of its own")
                    .choices({"empty", "learnt"}));
  return own;
}

Source::Source(const perrin::Config& config)
    : field_(config.string("field")),
      drop_(config.number("drop")),
      null_is_learnt_(config.string("null") == "learnt") {}

void Source::infer(uint32_t n, const perrin_field* fields) const {
  std::string texts;
  for (uint32_t i = 0; i < n; ++i) {
    const std::string name(perrin::view(fields[i].spec.name));
    if (is_text(fields[i])) texts += (texts.empty() ? "\"" : ", \"") + name + "\"";
    if (name != field_) continue;
    if (is_text(fields[i])) return;
    throw Failure(PERRIN_INVALID_CONFIG, "the dataset's field \"" + field_ +
                                             "\" is not a text, which is uint8 of rank 1: its rank is " +
                                             std::to_string(fields[i].spec.rank) + ". Set `field` to a text");
  }
  throw Failure(PERRIN_INVALID_CONFIG,
                "the dataset has no field \"" + field_ + "\"; " +
                    (texts.empty() ? "it has no text at all: choose a dataset with captions, or another conditioner"
                                   : "its texts are: " + texts));
}

Batch Source::read(const perrin::Fields& fields, const uint8_t* drop) const {
  Batch batch;
  batch.texts = strings(fields[field_]);
  const size_t n = batch.texts.size();
  at::Tensor weights = fields.find(field_ + PERRIN_WEIGHT_SUFFIX);  // [B, length]
  if (weights.defined()) weights = weights.to(at::kCPU, at::kFloat).contiguous();
  batch.weights.resize(n);
  for (size_t i = 0; i < n; ++i) {
    if (drop != nullptr && drop[i] != 0) batch.texts[i].clear();
    batch.null.push_back(batch.texts[i].empty());
    if (weights.defined()) batch.weights[i] = row(weights, static_cast<int64_t>(i), batch.texts[i].size());
  }
  return batch;
}

std::vector<std::string> strings(const at::Tensor& bytes) {
  const at::Tensor field = bytes.to(at::kCPU, at::kByte).contiguous();
  const auto length = static_cast<size_t>(field.size(1));
  const char* data = reinterpret_cast<const char*>(field.const_data_ptr<uint8_t>());
  std::vector<std::string> result;
  for (int64_t i = 0; i < field.size(0); ++i, data += length)
    result.emplace_back(data, static_cast<size_t>(std::find(data, data + length, '\0') - data));
  return result;
}

std::vector<Run> runs(std::string_view text, const std::vector<float>& weights) {
  if (weights.empty()) return {{text, 1}};
  std::vector<Run> result;
  for (size_t i = 0, first = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && weights[i + 1] == weights[i]) continue;
    size_t end = i + 1;
    if (end < text.size())
      while (end > first && text[end - 1] == ' ') --end;
    if (end > first) result.push_back({text.substr(first, end - first), weights[i]});
    first = end;
  }
  return result;
}

at::Tensor weigh(const at::Tensor& z, const at::Tensor& weights) {
  if (!weights.defined()) return z;
  const auto scaled = z.mul(weights.to(z.device(), z.scalar_type()).unsqueeze(-1));
  static constexpr int64_t dimensions[] = {1, 2};
  const at::IntArrayRef sample(dimensions);
  const auto kept = z.mean(sample, true), mean = scaled.mean(sample, true);  // [B, 1, 1]
  const auto has_mean = kept.mul(mean).gt(z.square().mean(sample, true).mul(1e-4));
  const auto one = at::tensor(1.0, mean.options());
  return scaled.mul(at::where(has_mean, kept, one)).div(at::where(has_mean, mean, one));
}

LearntNull::LearntNull(perrin::Parameters& p, const std::string& name, std::vector<int64_t> sizes) {
  perrin::Parameters::Options options;
  options.no_decay = true;
  value_ = &p.add(name, std::move(sizes), perrin::Init::normal(1), options);
}

at::Tensor LearntNull::operator()(const at::Tensor& x, const std::vector<uint8_t>& null) const {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[0] = x.size(0);
  const auto here = at::tensor(at::ArrayRef<uint8_t>(null)).view(sizes).to(x.device(), at::kBool);
  return at::where(here, value_->to(x.scalar_type()), x);
}

void Cut::note(const std::vector<int64_t>& lengths) {
  for (const int64_t n : lengths) {
    ++texts_, tokens_ += n;
    if (n > most_) ++cut_, lost_ += n - most_;
    longest_ = std::max(longest_, n);
  }
  if (cut_ < say_at_) return;
  while (say_at_ <= cut_) say_at_ *= 10;
  char share[16];
  std::snprintf(share, sizeof share, "%.2g %%", 100 * static_cast<double>(lost_) / static_cast<double>(tokens_));
  const std::string line = std::to_string(cut_) + " of " + std::to_string(texts_) + " texts so far have more than " +
                           std::to_string(most_) + " tokens, the longest " + std::to_string(longest_) +
                           ": the rest is cut, the end token kept; " + share + " of all tokens are lost";
  perrin::service<perrin_host_log>(PERRIN_HOST_LOG)->write(PERRIN_LOG_WARNING, perrin::text(line));
}

}  // namespace text
