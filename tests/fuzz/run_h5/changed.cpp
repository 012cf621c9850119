#include "tests/fuzz/run_h5/changed.hpp"

#include <hdf5.h>

#include <fstream>
#include <vector>

#include "tests/fuzz/input.hpp"

namespace perrin::fuzz {
namespace {

const char* const objects[] = {"metrics/train/loss",
                               "metrics/train/n",
                               "metrics/train/step",
                               "metrics/train/wall_time",
                               "images/s/data",
                               "images/s/step",
                               "config/toml",
                               "config/json",
                               "config/params",
                               "segments/step",
                               "segments/start_time",
                               "segments/dropped",
                               "segments/segment",
                               "provenance",
                               "provenance/plugins/id",
                               "provenance/plugins/tier",
                               "metrics/train",
                               "metrics",
                               "images/s",
                               "."};
const char* const attributes[] = {"schema", "run_id", "status", "start_time", "units", "long_name", "a.b", "argv"};

hid_t type_of(FuzzedDataProvider& input) {
  const int kind = input.ConsumeIntegralInRange(0, 6);
  if (kind == 0) return H5Tcopy(H5T_NATIVE_DOUBLE);
  if (kind == 1) return H5Tcopy(H5T_STD_I64BE);
  if (kind == 2) return H5Tcopy(H5T_NATIVE_UINT8);
  if (kind == 3) return H5Tvlen_create(H5T_NATIVE_INT);
  if (kind == 4) return H5Tcreate(H5T_COMPOUND, 64);
  const hid_t text = H5Tcopy(H5T_C_S1);
  const uint8_t size = input.ConsumeIntegral<uint8_t>();
  H5Tset_size(text, size == 0 ? H5T_VARIABLE : size > 250 ? size_t{1} << (size - 220) : size);
  return text;
}

hid_t space_of(FuzzedDataProvider& input, std::vector<hsize_t>& dims) {
  const int rank = input.ConsumeIntegralInRange(0, 6);
  std::vector<hsize_t> most;
  for (int i = 0; i < rank; ++i) {
    const uint8_t size = input.ConsumeIntegral<uint8_t>();
    dims.push_back(size < 240 ? size % 6 : hsize_t{1} << (size - 200));
    most.push_back(H5S_UNLIMITED);
  }
  return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims.data(), most.data());
}

// One change: an object or an attribute goes, or another stands in its place.
void change(hid_t file, FuzzedDataProvider& input) {
  const char* const object = input.PickValueInArray(objects);
  const char* const name = input.PickValueInArray(attributes);
  const bool attribute = input.ConsumeBool();
  attribute ? H5Adelete_by_name(file, object, name, H5P_DEFAULT) : H5Ldelete(file, object, H5P_DEFAULT);
  if (input.ConsumeBool()) return;
  std::vector<hsize_t> dims;
  const hid_t type = type_of(input), space = space_of(input, dims), list = H5Pcreate(H5P_DATASET_CREATE);
  const std::vector<hsize_t> chunk(dims.size(), 2);
  if (!dims.empty()) H5Pset_chunk(list, static_cast<int>(dims.size()), chunk.data());
  const hid_t made = attribute
                         ? H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)
                         : H5Dcreate2(file, object, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  if (made >= 0) attribute ? H5Aclose(made) : H5Dclose(made);
  H5Tclose(type), H5Sclose(space), H5Pclose(list);
}

}  // namespace

std::string changed(FuzzedDataProvider input, const std::string& base) {
  MemoryFile file(base);
  const int changes = input.ConsumeIntegralInRange(0, 4);
  if (changes > 0) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
    const hid_t open = H5Fopen(file.path().c_str(), H5F_ACC_RDWR, list);
    for (int i = 0; i < changes; ++i) change(open, input);
    H5Fclose(open), H5Pclose(list);
  }
  std::ifstream stream(file.path(), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const bool patched = input.ConsumeBool();  // mostly ends at a checksum, after tries that take 30 ms
  while (patched && input.remaining_bytes() > 2 && !bytes.empty())
    bytes[input.ConsumeIntegral<uint16_t>() % bytes.size()] = static_cast<char>(input.ConsumeIntegral<uint8_t>());
  return bytes;
}

}  // namespace perrin::fuzz
