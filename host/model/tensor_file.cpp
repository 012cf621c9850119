#include "host/model/tensor_file.hpp"

#include <ATen/ops/from_blob.h>

#include "host/base/error.hpp"

namespace perrin::model {
namespace {

namespace fs = std::filesystem;

store::Dtype dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return store::Dtype::f32;
    case at::kDouble:
      return store::Dtype::f64;
    case at::kHalf:
      return store::Dtype::f16;
    case at::kBFloat16:
      return store::Dtype::bf16;
    case at::kShort:
      return store::Dtype::i16;
    case at::kChar:
      return store::Dtype::i8;
    case at::kLong:
      return store::Dtype::i64;
    case at::kInt:
      return store::Dtype::i32;
    case at::kByte:
      return store::Dtype::u8;
    case at::kBool:
      return store::Dtype::boolean;
    default:
      throw Error("a buffer has a dtype that checkpoints do not hold", "", "use float32, float64 or integers");
  }
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

store::TensorView tensor_view(std::string name, const std::vector<int64_t>& shape, const at::Tensor& contiguous) {
  return {std::move(name),
          dtype_of(contiguous.scalar_type()),
          shape,
          {static_cast<const std::byte*>(contiguous.const_data_ptr()), contiguous.nbytes()}};
}

store::SafeTensors open_tensor_file(const fs::path& file, const std::string& schema, const std::string& what) {
  store::SafeTensors tensors = store::SafeTensors::open(file);
  const auto found = tensors.metadata().find("schema");
  if (found == tensors.metadata().end() || found->second != schema) {
    throw Error("this is a safetensors file but not " + what + " (schema " + schema + ", found " +
                    (found == tensors.metadata().end() ? "none" : found->second) + ")",
                file.string(), "name a run's own file");
  }
  return tensors;
}

at::Tensor held_tensor(const store::SafeTensors& from, const std::string& name, const std::vector<int64_t>& sizes,
                       at::ScalarType dtype, const fs::path& file) {
  const store::TensorView* found = from.find(name);
  if (!found)
    throw Error("the checkpoint has no tensor \"" + name + "\"", file.string(), "use a checkpoint of this model");
  if (found->shape != sizes || found->dtype != dtype_of(dtype)) {
    throw Error("tensor \"" + name + "\" is " + shape_text(found->shape) + " in the checkpoint and " +
                    shape_text(sizes) + " in the model",
                file.string(), "use a checkpoint of this model");
  }
  return at::from_blob(const_cast<std::byte*>(found->bytes.data()), sizes, dtype);
}

int64_t held_number(const store::Metadata& metadata, const std::string& key, const fs::path& file) {
  const auto found = metadata.find(key);
  try {
    if (found != metadata.end()) return std::stoll(found->second);
  } catch (const std::exception&) {
  }
  throw Error("the checkpoint does not say its " + key, file.string(), "use another checkpoint of the run");
}

void fill(ParameterSet& parameters, const Parameter& p, const at::Tensor& value) {
  const at::Tensor target = p.offset < 0 ? p.tensor : piece_of(parameters.values(), p);
  target.copy_(value.view(target.sizes()));
}

}  // namespace perrin::model
