// Tensors of safetensors files for components that start from them.
#include <ATen/ops/from_blob.h>

#include <memory>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"
#include "host/store/safetensors.hpp"

struct perrin_weights {
  std::string file;
  perrin::store::SafeTensors tensors;
  std::vector<std::string> names;
  std::vector<perrin_text> texts;  // of `names`
};

namespace perrin::services {
namespace {

at::ScalarType scalar_type(store::Dtype dtype) {
  switch (dtype) {
    case store::Dtype::f32:
      return at::kFloat;
    case store::Dtype::f64:
      return at::kDouble;
    case store::Dtype::f16:
      return at::kHalf;
    case store::Dtype::bf16:
      return at::kBFloat16;
    case store::Dtype::i64:
      return at::kLong;
    case store::Dtype::i32:
      return at::kInt;
    case store::Dtype::i16:
      return at::kShort;
    case store::Dtype::i8:
      return at::kChar;
    case store::Dtype::u8:
      return at::kByte;
    case store::Dtype::boolean:
      return at::kBool;
    default:
      throw Fault(PERRIN_UNSUPPORTED, "weights of dtype " + std::string(store::dtype_name(dtype)) + " are not read");
  }
}

store::SafeTensors read(const std::string& file) {
  try {
    return store::SafeTensors::open(file, store::Checksum::if_present);
  } catch (const Error& error) {
    throw Fault(PERRIN_INVALID_DATA, error.message());
  }
}

perrin_status* open(perrin_text file, perrin_weights** weights) {
  perrin_text path{};
  if (perrin_status* missing = artifact_table.find(file, &path)) return missing;
  return as_status([&] {
    const std::string place(view(path));
    auto opened = std::unique_ptr<perrin_weights>(new perrin_weights{place, read(place), {}, {}});
    opened->names = opened->tensors.names();
    for (const std::string& name : opened->names) opened->texts.push_back(text(name));
    *weights = opened.release();
  });
}

void close(perrin_weights* weights) { delete weights; }

perrin_status* names(perrin_weights* weights, uint64_t* n, const perrin_text** names) {
  *n = weights->texts.size();
  *names = weights->texts.data();
  return nullptr;
}

perrin_status* metadata(perrin_weights* weights, perrin_text key, perrin_text* value) {
  const store::Metadata& held = weights->tensors.metadata();
  const auto found = held.find(std::string(view(key)));
  *value = found == held.end() ? perrin_text{"", 0} : text(found->second);
  return nullptr;
}

perrin_status* get(perrin_weights* weights, perrin_text name, perrin_tensor** tensor) {
  return as_status([&] {
    const store::TensorView* found = weights->tensors.find(view(name));
    if (found == nullptr)
      throw Fault(PERRIN_INVALID_DATA, weights->file + " has no tensor \"" + std::string(view(name)) + "\"; " +
                                           config::suggestion(std::string(view(name)), weights->names));
    const auto* bytes = found->bytes.data();
    *tensor = wrap(at::from_blob(const_cast<std::byte*>(bytes), found->shape, scalar_type(found->dtype)).clone()).release();
  });
}

}  // namespace

const perrin_host_weights weights_table = {sizeof(perrin_host_weights), 0, open, close, names, metadata, get};

}  // namespace perrin::services
