#include "host/store/hdf5.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

#include "host/base/printable.hpp"

namespace perrin::store::hdf5 {

std::unique_lock<std::recursive_mutex> lock() {
  // No clean-up at exit: after a failed write (full disk) it would write again, fail and complain.
  static const bool once = [] {
    H5dont_atexit();
    H5PLset_loading_state(0);  // a file that names a filter must not have a library loaded
    return H5open() >= 0;
  }();
  (void)once;
  static std::recursive_mutex mutex;
  std::unique_lock held(mutex);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  return held;
}

hid_t check(hid_t result, const char* doing) {
  if (result >= 0) return result;
  Failure failure{doing, "", 0};
  const auto visit = [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
    auto& into = *static_cast<Failure*>(data);
    if (into.reason.empty() && error->desc) into.reason = error->desc;  // walking upward, the innermost comes first
    const char* number = error->desc ? std::strstr(error->desc, "errno = ") : nullptr;
    if (number && into.error_number == 0) into.error_number = std::atoi(number + 8);
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &failure);
  H5Eclear2(H5E_DEFAULT);
  if (failure.error_number != 0) failure.reason = std::strerror(failure.error_number);
  throw failure;
}

namespace {

void check_dataset(hid_t dataset) {
  const Handle list(check(H5Dget_create_plist(dataset), "dataset list"), H5Pclose);
  if (H5Pget_external_count(list) != 0 || H5Pget_layout(list) == H5D_VIRTUAL)
    throw Failure{"looking at the data", "some are kept in other files", 0};
  if (H5Pget_nfilters(list) != 0)
    throw Failure{"looking at the data", "some are compressed, which Perrin never does", 0};
}

herr_t check_link(hid_t file, const char* name, const H5L_info_t* link, void* failure) {
  try {
    if (link->type != H5L_TYPE_HARD)
      throw Failure{"looking at the links", std::string(name) + " leads out of the file", 0};
    const Handle object(check(H5Oopen(file, name, H5P_DEFAULT), "opening an object"), H5Oclose);
    if (H5Iget_type(object) == H5I_DATASET) check_dataset(object);
    return 0;
  } catch (const Failure& found) {  // not through frames of C
    *static_cast<Failure*>(failure) = found;
    return -1;
  }
}

void check_name(const std::string& name) {
  if (one_line(name) != name) throw Failure{"reading a name", one_line(name) + " holds a control character", 0};
}

}  // namespace

void check_self_contained(hid_t file) {
  Failure failure;
  if (H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, check_link, &failure) >= 0) return;
  H5Eclear2(H5E_DEFAULT);
  if (failure.doing.empty()) failure = {"looking at the links", "they cannot be followed", 0};
  throw failure;
}

Handle file_access() {
  Handle list(check(H5Pcreate(H5P_FILE_ACCESS), "file access list"), H5Pclose);
  check(H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110), "format bounds");
  check(H5Pset_cache(list, 0, 0, 0, 0.75), "chunk cache");
  // A reader that meets a torn block of a live file tries again, sleeping 1, 2, 4, ... ns: 25 tries are 30 ms in all.
  // The library's own number, 100, would be for ever on a damaged file.
  check(H5Pset_metadata_read_attempts(list, 25), "read attempts");
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list, true, true);
#endif
  return list;
}

Handle text_type(size_t longest) {
  Handle type(check(H5Tcopy(H5T_C_S1), "text type"), H5Tclose);
  check(H5Tset_size(type, longest + 1), "text size");
  check(H5Tset_strpad(type, H5T_STR_NULLTERM), "text padding");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "text encoding");
  return type;
}

Handle simple_space(int rank, const hsize_t* dims, const hsize_t* max_dims) {
  return {check(H5Screate_simple(rank, dims, max_dims), "data space"), H5Sclose};
}

Handle create_group(hid_t parent, const std::string& name) {
  Handle list(check(H5Pcreate(H5P_GROUP_CREATE), "group list"), H5Pclose);
  check(H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "link order");
  check(H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "attribute order");
  return {check(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, list, H5P_DEFAULT), "creating a group"), H5Gclose};
}

Handle open_group(hid_t parent, const std::string& name) {
  return {check(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), "opening a group"), H5Gclose};
}

Handle open_dataset(hid_t parent, const std::string& name) {
  return {check(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), "opening a dataset"), H5Dclose};
}

hsize_t rows_of(hid_t dataset) {
  const Handle space(check(H5Dget_space(dataset), "data space"), H5Sclose);
  hsize_t dims[H5S_MAX_RANK] = {};
  check(H5Sget_simple_extent_dims(space, dims, nullptr), "rows");
  return dims[0];
}

Handle space_of(hid_t dataset, int rank) {
  Handle space(check(H5Dget_space(dataset), "data space"), H5Sclose);
  if (H5Sget_simple_extent_ndims(space) != rank) throw Failure{"reading data", "they have another number of dimensions", 0};
  return space;
}

namespace {

Handle scalar_space() { return {check(H5Screate(H5S_SCALAR), "scalar space"), H5Sclose}; }

std::string trimmed(std::string text) {
  text.resize(text.find_last_not_of('\0') + 1);  // npos + 1 is 0
  return text;
}

void check_length(size_t bytes) {
  if (bytes > kLongestText) throw Failure{"reading a text", "it would have " + std::to_string(bytes) + " bytes", 0};
}

// One text of the type and space of an object; `read` fills memory of the type that it is given. Failure for what is
// no single text. Ours have a fixed length; other programs write ones of variable length.
template <class Read>
std::string one_text(hid_t type, hid_t space, const Read& read) {
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
    throw Failure{"reading a text", "it is not one text", 0};
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory(check(H5Tcopy(H5T_C_S1), "text type"), H5Tclose);
    check(H5Tset_size(memory, H5T_VARIABLE), "text size");
    check(H5Tset_cset(memory, H5Tget_cset(type)), "text encoding");
    char* given = nullptr;
    check(read(memory, &given), "reading a text");
    const std::unique_ptr<char, herr_t (*)(void*)> text(given, H5free_memory);
    if (text) check_length(std::strlen(text.get()));
    return text ? text.get() : "";
  }
  check_length(H5Tget_size(type));
  std::string text(H5Tget_size(type), '\0');
  check(read(type, text.data()), "reading a text");
  return trimmed(std::move(text));
}

}  // namespace

void write_attribute(hid_t object, const std::string& name, std::string_view text) {
  const Handle type = text_type(text.size()), space = scalar_space();
  const Handle attribute(
      check(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), "creating an attribute"),
      H5Aclose);
  check(H5Awrite(attribute, type, std::string(text).c_str()), "writing an attribute");
}

void write_attribute(hid_t object, const std::string& name, uint8_t value) {
  const Handle space = scalar_space();
  const Handle attribute(
      check(H5Acreate2(object, name.c_str(), H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT), "creating an attribute"),
      H5Aclose);
  check(H5Awrite(attribute, H5T_NATIVE_UINT8, &value), "writing an attribute");
}

std::string read_attribute(hid_t object, const std::string& name) {
  const Handle attribute(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "opening an attribute"), H5Aclose);
  const Handle type(check(H5Aget_type(attribute), "attribute type"), H5Tclose);
  const Handle space(check(H5Aget_space(attribute), "attribute space"), H5Sclose);
  return one_text(type, space, [&](hid_t memory, void* into) { return H5Aread(attribute, memory, into); });
}

bool has_attribute(hid_t object, const std::string& name) { return H5Aexists(object, name.c_str()) > 0; }

void write_text(hid_t parent, const std::string& name, std::string_view text) {
  const Handle type = text_type(text.size()), space = scalar_space();
  const Handle dataset(
      check(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "creating a dataset"),
      H5Dclose);
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, std::string(text).c_str()), "writing a text");
}

std::string read_text(hid_t parent, const std::string& name) {
  const Handle dataset = open_dataset(parent, name);
  const Handle type(check(H5Dget_type(dataset), "dataset type"), H5Tclose);
  const Handle space(check(H5Dget_space(dataset), "dataset space"), H5Sclose);
  const Handle transfer(check(H5Pcreate(H5P_DATASET_XFER), "transfer list"), H5Pclose);
  const auto allocate = [](size_t bytes, void*) { return bytes > kLongestText ? nullptr : H5allocate_memory(bytes, false); };
  const auto release = [](void* memory, void*) { H5free_memory(memory); };
  check(H5Pset_vlen_mem_manager(transfer, allocate, nullptr, release, nullptr), "limit of texts");
  return one_text(type, space, [&](hid_t memory, void* into) {
    return H5Dread(dataset, memory, H5S_ALL, H5S_ALL, transfer, into);
  });
}

std::vector<std::string> links(hid_t group) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  check(H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, visit, &names), "listing a group");
  for (const std::string& name : names) check_name(name);
  return names;
}

std::vector<std::string> attributes(hid_t object) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5A_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, visit, &names), "listing attributes");
  for (const std::string& name : names) check_name(name);
  return names;
}

}  // namespace perrin::store::hdf5
