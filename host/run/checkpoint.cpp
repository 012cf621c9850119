#include "host/run/checkpoint.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <list>

#include "host/base/error.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "perrin.checkpoint/1";

store::Dtype dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat: return store::Dtype::f32;
    case at::kDouble: return store::Dtype::f64;
    case at::kLong: return store::Dtype::i64;
    case at::kInt: return store::Dtype::i32;
    case at::kByte: return store::Dtype::u8;
    case at::kBool: return store::Dtype::boolean;
    default: throw Error("a buffer has a dtype that checkpoints do not hold", "", "use float32, float64 or integers");
  }
}

store::TensorView view(std::string name, const std::vector<int64_t>& shape, const at::Tensor& contiguous) {
  return {std::move(name), dtype_of(contiguous), shape,
          {static_cast<const std::byte*>(contiguous.const_data_ptr()), contiguous.nbytes()}};
}

std::vector<fs::path> checkpoint_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".safetensors" && entry.path().filename().string().rfind("step-", 0) == 0)
      files.push_back(entry.path());
  // Newest first. Names are padded to eight digits: longer numbers are later.
  const auto later = [](const fs::path& a, const fs::path& b) {
    const std::string x = a.filename().string(), y = b.filename().string();
    return x.size() != y.size() ? x.size() > y.size() : x > y;
  };
  std::sort(files.begin(), files.end(), later);
  return files;
}

int64_t number(const store::Metadata& metadata, const std::string& key, const fs::path& file) {
  const auto found = metadata.find(key);
  try {
    if (found != metadata.end()) return std::stoll(found->second);
  } catch (const std::exception&) {
  }
  throw Error("the checkpoint does not say its " + key, file.string(), "use another checkpoint of the run");
}

store::SafeTensors open_checkpoint(const fs::path& file) {
  store::SafeTensors tensors = store::SafeTensors::open(file);
  const auto schema = tensors.metadata().find("schema");
  if (schema == tensors.metadata().end() || schema->second != kSchema) {
    throw Error("this is a safetensors file but not a checkpoint (schema " + std::string(kSchema) + ", found " +
                    (schema == tensors.metadata().end() ? "none" : schema->second) + ")",
                file.string(), "name a run's checkpoint");
  }
  return tensors;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void copy(const store::SafeTensors& from, const std::string& name, const std::vector<int64_t>& sizes,
          const at::Tensor& target, const fs::path& file) {
  const store::TensorView* found = from.find(name);
  if (!found) throw Error("the checkpoint has no tensor \"" + name + "\"", file.string(), "use a checkpoint of this model");
  if (found->shape != sizes || found->dtype != dtype_of(target) || found->bytes.size() != target.nbytes()) {
    throw Error("tensor \"" + name + "\" is " + shape_text(found->shape) + " in the checkpoint and " + shape_text(sizes) +
                    " in the model",
                file.string(), "use a checkpoint of this model");
  }
  target.copy_(at::from_blob(const_cast<std::byte*>(found->bytes.data()), target.sizes(), target.scalar_type()));
}

at::Tensor piece(const at::Tensor& flat, const Parameter& p) { return flat.narrow(0, p.offset, p.count); }

template <class F>
void for_each_saved(const ParameterSet& parameters, F&& f) {
  for (const ParameterGroup& group : parameters.groups())
    for (const Parameter& p : group.parameters)
      if (p.tied_to < 0 && p.role != PERRIN_SCRATCH) f(p);
}

}  // namespace

std::string checkpoint_name(int64_t step) {
  std::string digits = std::to_string(step);
  return "step-" + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits + ".safetensors";
}

void save_checkpoint(const fs::path& file, const ParameterSet& parameters, Optimizer& optimizer, const Progress& progress,
                     const std::string& config_hash) {
  const at::Tensor values = parameters.values().cpu(), ema = optimizer.averaged().cpu();
  const at::Tensor first = optimizer.first_moment().cpu(), second = optimizer.second_moment().cpu();
  std::vector<store::TensorView> tensors;
  std::list<at::Tensor> buffers;  // keeps what the views point to
  for_each_saved(parameters, [&](const Parameter& p) {
    if (p.offset < 0) {
      tensors.push_back(view(p.name, p.sizes, buffers.emplace_back(p.tensor.cpu())));
      return;
    }
    tensors.push_back(view(p.name, p.sizes, piece(values, p)));
    if (optimizer.ema().defined()) tensors.push_back(view("ema." + p.name, p.sizes, piece(ema, p)));
    tensors.push_back(view("adamw.first_moment." + p.name, p.sizes, piece(first, p)));
    tensors.push_back(view("adamw.second_moment." + p.name, p.sizes, piece(second, p)));
  });
  const store::Metadata metadata = {{"schema", kSchema},
                                    {"config_hash", config_hash},
                                    {"step", std::to_string(progress.step)},
                                    {"position", std::to_string(progress.position)},
                                    {"stage", std::to_string(progress.stage)},
                                    {"stage_step", std::to_string(progress.stage_step)}};
  store::write_safetensors(file, tensors, metadata);
}

void load_checkpoint(const fs::path& file, ParameterSet& parameters, Optimizer* optimizer,
                     const std::string& config_hash) {
  const store::SafeTensors tensors = open_checkpoint(file);
  const auto hash = tensors.metadata().find("config_hash");
  if (hash == tensors.metadata().end() || hash->second != config_hash)
    throw Error("the checkpoint belongs to another experiment", file.string(), "resume with the run's own experiment.toml");
  for_each_saved(parameters, [&](const Parameter& p) {
    if (p.offset < 0) return copy(tensors, p.name, p.sizes, p.tensor, file);
    copy(tensors, p.name, p.sizes, piece(parameters.values(), p), file);
    if (!optimizer) return;
    if (optimizer->ema().defined()) copy(tensors, "ema." + p.name, p.sizes, piece(optimizer->ema(), p), file);
    copy(tensors, "adamw.first_moment." + p.name, p.sizes, piece(optimizer->first_moment(), p), file);
    copy(tensors, "adamw.second_moment." + p.name, p.sizes, piece(optimizer->second_moment(), p), file);
  });
}

void load_averaged(const fs::path& file, ParameterSet& parameters) {
  const store::SafeTensors tensors = open_checkpoint(file);
  for_each_saved(parameters, [&](const Parameter& p) {
    const std::string averaged = "ema." + p.name;
    const bool present = p.offset >= 0 && tensors.find(averaged) != nullptr;
    copy(tensors, present ? averaged : p.name, p.sizes, p.offset < 0 ? p.tensor : piece(parameters.values(), p), file);
  });
}

std::optional<Found> newest_checkpoint(const fs::path& folder, std::vector<std::string>* rejected) {
  for (const fs::path& file : checkpoint_files(folder)) {
    try {
      const store::SafeTensors tensors = open_checkpoint(file);
      const store::Metadata& m = tensors.metadata();
      return Found{file,
                   {number(m, "step", file), static_cast<uint64_t>(number(m, "position", file)),
                    number(m, "stage", file), number(m, "stage_step", file)}};
    } catch (const Error& error) {
      if (rejected) rejected->push_back(file.filename().string() + ": " + error.what());
    }
  }
  return std::nullopt;
}

void prune_checkpoints(const fs::path& folder, size_t keep) {
  const std::vector<fs::path> files = checkpoint_files(folder);
  std::error_code ignored;
  for (size_t i = keep; i < files.size(); ++i) fs::remove(files[i], ignored);
}

}  // namespace perrin::run
