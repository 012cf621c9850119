#include "host/services/extractor_weights.hpp"

#include <filesystem>

#include "host/services/extractor_file.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

// A file that was written again is another one.
std::string key_of(const std::string& file) {
  std::error_code none;
  const auto written = std::filesystem::last_write_time(file, none).time_since_epoch().count();
  return file + "\n" + std::to_string(written) + "\n" + std::to_string(std::filesystem::file_size(file, none));
}

std::string shape(at::IntArrayRef sizes) { return c10::str(sizes); }

}  // namespace

void ExtractorWeights::Close::operator()(perrin_weights* weights) const { weights_table.close(weights); }

std::shared_ptr<ExtractorWeights> ExtractorWeights::of(const std::string& file) {
  static std::mutex mutex;
  static auto* open = new std::map<std::string, std::weak_ptr<ExtractorWeights>>;
  const std::lock_guard lock(mutex);
  std::weak_ptr<ExtractorWeights>& known = (*open)[key_of(file)];
  if (auto held = known.lock()) return held;
  std::shared_ptr<ExtractorWeights> made(new ExtractorWeights(file));
  known = made;
  return made;
}

ExtractorWeights::ExtractorWeights(std::string file) : file_(std::move(file)) {
  open_file();
  for (const char* key : {kExtractorId, kExtractorConfig, kExtractorInput, kExtractorClasses}) {
    perrin_text value{};
    check(weights_table.metadata(open_.get(), text(key), &value), {});
    metadata_[key] = view(value);
  }
}

void ExtractorWeights::open_file() {
  perrin_weights* weights = nullptr;
  check(weights_table.open(text(file_), &weights), {});
  open_.reset(weights);
}

std::string ExtractorWeights::metadata(const std::string& key) const { return metadata_.at(key); }

at::Tensor ExtractorWeights::get(const std::string& name, at::IntArrayRef sizes) {
  const std::lock_guard lock(mutex_);
  at::Tensor& held = tensors_[name];
  if (!held.defined()) {
    if (!open_) open_file();
    perrin_tensor* read = nullptr;
    check(weights_table.get(open_.get(), text(name), &read), {});
    held = take_lent(read).to(Session::here().device(), at::kFloat);
  }
  if (held.sizes() != sizes)
    throw Fault(PERRIN_INVALID_DATA, file_ + ": tensor \"" + name + "\" is " + shape(held.sizes()) +
                                         ", and the extractor's is " + shape(sizes));
  return held;
}

void ExtractorWeights::close_file() {
  const std::lock_guard lock(mutex_);
  open_.reset();
}

}  // namespace perrin::services
