// Tensors of safetensors files for components that start from them.
#include "host/services/weights.hpp"

#include <ATen/ops/empty.h>

#include <cstring>

#include <memory>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"
#include "host/store/weight_file.hpp"

struct perrin_weights {
  std::string file;
  perrin::store::SafeTensors tensors;
  std::vector<std::string> names;
  std::vector<perrin_text> texts;  // of `names`
};

namespace perrin::services {
namespace {

at::ScalarType scalar_type(const store::TensorView& held) {
  switch (held.dtype) {
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
    case store::Dtype::u16:
      return at::ScalarType::UInt16;
    case store::Dtype::u32:
      return at::ScalarType::UInt32;
    case store::Dtype::u64:
      return at::ScalarType::UInt64;
    case store::Dtype::c64:
      return at::ScalarType::ComplexFloat;
    case store::Dtype::f8_e5m2:
      return at::ScalarType::Float8_e5m2;
    case store::Dtype::f8_e4m3:
      return at::ScalarType::Float8_e4m3fn;
    case store::Dtype::f8_e8m0:
      return at::ScalarType::Float8_e8m0fnu;
    case store::Dtype::f8_e5m2fnuz:
      return at::ScalarType::Float8_e5m2fnuz;
    case store::Dtype::f8_e4m3fnuz:
      return at::ScalarType::Float8_e4m3fnuz;
    default:
      throw Fault(PERRIN_UNSUPPORTED, "tensor \"" + held.name + "\" has the dtype " +
                                          std::string(store::dtype_name(held.dtype)) + ", which LibTorch lacks: write it as F32, F16 or BF16");
  }
}

store::SafeTensors read(const std::string& file) {
  try {
    return store::open_weights(file);
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
  return as_status([&] {
    const store::Metadata& held = weights->tensors.metadata();
    const auto found = held.find(checked(key, "a key of the metadata"));
    *value = found == held.end() ? perrin_text{"", 0} : text(found->second);
  });
}

perrin_status* get(perrin_weights* weights, perrin_text name, perrin_tensor** tensor) {
  return as_status([&] {
    const std::string wanted = checked(name, "a tensor's name");
    const store::TensorView* found = weights->tensors.find(wanted);
    if (found == nullptr)
      throw Fault(PERRIN_INVALID_DATA,
                  weights->file + " has no tensor \"" + wanted + "\"; " + config::suggestion(wanted, weights->names));
    *tensor = lend(wrap(copy_of(*found)));
  });
}

}  // namespace

at::Tensor copy_of(const store::TensorView& held) {
  at::Tensor copy = at::empty(held.shape, scalar_type(held));  // the file may keep it at any byte
  if (!held.bytes.empty()) std::memcpy(copy.mutable_data_ptr(), held.bytes.data(), held.bytes.size());
  return copy;
}

const perrin_host_weights weights_table = {sizeof(perrin_host_weights), 0, open, close, names, metadata, get};

}  // namespace perrin::services
