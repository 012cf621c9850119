#include "host/model/state.hpp"

#include <ATen/ops/from_blob.h>

#include "host/base/error.hpp"

namespace perrin::model {

namespace fs = std::filesystem;

at::Tensor state_of(const services::Component& component) {
  uint64_t n = 0;
  const uint8_t* bytes = nullptr;
  component.invoke<&perrin_state::save>(&n, &bytes);
  return at::from_blob(const_cast<uint8_t*>(bytes), {static_cast<int64_t>(n)}, at::kByte).clone();
}

void load_state(const services::Component& component, const std::string& name, const store::TensorView& held,
                const fs::path& file) {
  try {
    component.invoke<&perrin_state::load>(uint64_t{held.bytes.size()},
                                          reinterpret_cast<const uint8_t*>(held.bytes.data()));
  } catch (const Error& error) {
    throw Error("tensor \"" + name + "\" is not a state of the " + component.kind() + " (" + component.id() +
                    "): " + error.what(),
                file.string(), "use another checkpoint of the run");
  }
}

}  // namespace perrin::model
