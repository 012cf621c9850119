#include "host/run/latent_cache.hpp"

#include <ATen/ops/from_file.h>
#include <ATen/ops/tensor.h>
#include <unistd.h>

#include <fstream>

#include "host/base/error.hpp"
#include "host/config/sha256.hpp"
#include "host/loader/search.hpp"
#include "host/run/first_stage.hpp"
#include "host/run/objective.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

namespace fs = std::filesystem;

// Beside the index of plugins.
fs::path folder() { return loader::default_places().cache.parent_path() / "latents"; }

std::string described(const config::Component& part) {
  std::string text = part.kind + " " + part.use + " " + part.factory->version + "\n";
  for (const auto& [key, value] : part.values) text += key + " = " + config::to_toml(value) + "\n";
  return text;
}

std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor held = tensor.detach().cpu().contiguous();
  return config::sha256_hex({static_cast<const char*>(held.const_data_ptr()), held.nbytes()});
}

std::string key_of(Model& model, uint64_t count) {
  std::string text = described(model.experiment.encoder) + described(model.experiment.dataset);
  text += "samples " + std::to_string(count) + ", seed " + std::to_string(model.experiment.seed) + "\n";
  if (const ParameterGroup* group = model.parameters.group("encoder"))
    for (const Parameter& p : group->parameters) text += p.name + " " + bytes_of(p.tensor) + "\n";
  return config::sha256_hex(text);
}

void write(Model& model, const fs::path& file, uint64_t count, int64_t batch_size) {
  fs::create_directories(file.parent_path());
  const fs::path beside = file.string() + "." + std::to_string(getpid());
  std::ofstream out(beside, std::ios::binary);
  std::error_code failed;
  const auto fail = [&] {
    fs::remove(beside, failed);
    throw Error("cannot write the cache of latents", file.string(), "make room there, or set cache = false in [encoder]");
  };
  for_each_samples(model, count, batch_size, [&](const Batch& batch, const perrin_call& call) {
    if (!out) fail();
    const at::Tensor z = encode(model, call, images(model, batch)).cpu().contiguous();
    out.write(static_cast<const char*>(z.const_data_ptr()), static_cast<std::streamsize>(z.nbytes()));
  });
  out.close();
  if (out) fs::rename(beside, file, failed);
  if (!out || failed) fail();
}

}  // namespace

LatentCache::LatentCache(Model& model, int64_t batch_size, const std::function<void(const std::string&)>& note) {
  const uint64_t count = dataset_count(model.dataset);
  std::vector<int64_t> sizes(model.shapes.z.sizes, model.shapes.z.sizes + model.shapes.z.rank);
  sizes.insert(sizes.begin(), static_cast<int64_t>(count));
  int64_t elements = 1;
  for (const int64_t size : sizes) elements *= size;
  file_ = folder() / (key_of(model, count) + ".f32");
  std::error_code none;
  const bool there = fs::file_size(file_, none) == static_cast<uintmax_t>(elements) * sizeof(float) && !none;
  if (!there) {
    if (note) note("encoding " + std::to_string(count) + " samples once into " + file_.string());
    write(model, file_, count, batch_size);
  }
  z_ = at::from_file(file_.string(), false, elements, at::TensorOptions(at::kFloat)).view(sizes);
}

at::Tensor LatentCache::rows(const std::vector<uint64_t>& indices) const {
  const std::vector<int64_t> wanted(indices.begin(), indices.end());
  return z_.index_select(0, at::tensor(wanted)).to(services::run_device());
}

}  // namespace perrin::run
