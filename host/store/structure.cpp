#include "host/store/structure.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "host/base/error.hpp"
#include "host/store/evaluations.hpp"
#include "host/store/tables.hpp"

namespace perrin::store {
namespace {

using hdf5::check;
using hdf5::Handle;

constexpr hsize_t kRowsPerChunk = 1024;

// An empty series of one number per row. Fill values mark what a killed writer reserved and did not write.
Handle create_series(hid_t group, const Column& column) {
  const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = kRowsPerChunk;
  const Handle space = hdf5::simple_space(1, &none, &unlimited);
  const Handle list(check(H5Pcreate(H5P_DATASET_CREATE), "dataset list"), H5Pclose);
  check(H5Pset_chunk(list, 1, &chunk), "chunk size");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const int64_t no_step = kNoStep;
  if (column.integer) check(H5Pset_fill_value(list, H5T_NATIVE_INT64, &no_step), "fill value");
  if (!column.integer) check(H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan), "fill value");
  Handle dataset =
      hdf5::create_dataset(group, column.name, column.integer ? H5T_STD_I64LE : H5T_IEEE_F64LE, space, list);
  if (!column.unit.empty()) hdf5::write_attribute(dataset, "units", column.unit);
  if (!column.doc.empty()) hdf5::write_attribute(dataset, "long_name", column.doc);
  return dataset;
}

Handle create_step(hid_t group) {
  Handle step = create_series(group, {"step", true, "", "optimizer steps done"});
  hdf5::make_scale(step, "step");
  return step;
}

void create_metrics(hid_t metrics, const Group& group) {
  const Handle folder = hdf5::create_group(metrics, group.name);
  const Handle step = create_step(folder);
  hdf5::attach_scale(create_series(folder, {"wall_time", false, "s", "Unix time"}), step, 0);
  for (const Column& column : group.columns) hdf5::attach_scale(create_series(folder, column), step, 0);
}

// The HDF5 Image specification 1.2: viewers show the rows as pictures.
void mark_as_image(hid_t data, int channels) {
  hdf5::write_attribute(data, "CLASS", "IMAGE");
  hdf5::write_attribute(data, "IMAGE_VERSION", "1.2");
  hdf5::write_attribute(data, "IMAGE_SUBCLASS", channels == 3 ? "IMAGE_TRUECOLOR" : "IMAGE_GRAYSCALE");
  if (channels == 3) hdf5::write_attribute(data, "INTERLACE_MODE", "INTERLACE_PIXEL");
  if (channels == 1) hdf5::write_attribute(data, "IMAGE_WHITE_IS_ZERO", uint8_t{0});
}

void create_images(hid_t images, const ImageTag& tag) {
  const Handle folder = hdf5::create_group(images, tag.tag);
  const hsize_t h = tag.height, w = tag.width, c = tag.channels;
  const hsize_t dims[4] = {0, h, w, c}, max_dims[4] = {H5S_UNLIMITED, h, w, c}, chunk[4] = {1, h, w, c};
  const Handle list(check(H5Pcreate(H5P_DATASET_CREATE), "dataset list"), H5Pclose);
  check(H5Pset_chunk(list, 4, chunk), "chunk size");
  const Handle step = create_step(folder);
  const Handle data = hdf5::create_dataset(folder, "data", H5T_STD_U8LE, hdf5::simple_space(4, dims, max_dims), list);
  hdf5::attach_scale(data, step, 0);
  hdf5::attach_scale(data, hdf5::write_index(folder, "y", h), 1);
  hdf5::attach_scale(data, hdf5::write_index(folder, "x", w), 2);
  hdf5::attach_scale(data, hdf5::write_index(folder, "channel", c), 3);
  mark_as_image(data, tag.channels);  // last: attaching a scale to what has a CLASS leaks a handle in HDF5 1.10
}

void create_plugins(hid_t provenance, const std::vector<Plugin>& plugins) {
  const Handle folder = hdf5::create_group(provenance, "plugins");
  const Handle index = hdf5::write_index(folder, "plugin", plugins.size());
  const auto column = [&](const char* name, std::string Plugin::*field) {
    std::vector<std::string> texts;
    for (const Plugin& plugin : plugins) texts.push_back(plugin.*field);
    hdf5::write_texts(folder, name, index, texts);
  };
  column("id", &Plugin::id);
  column("kind", &Plugin::kind);
  column("version", &Plugin::version);
  column("tier", &Plugin::tier);
  column("file", &Plugin::file);
  column("sha256", &Plugin::sha256);
}

void create_segments(hid_t root, std::span<const Segment> segments) {
  const Handle folder = hdf5::create_group(root, "segments");
  const Handle index = hdf5::write_index(folder, "segment", segments.size());
  std::vector<int64_t> step, dropped;
  std::vector<double> start;
  for (const Segment& s : segments) step.push_back(s.step), start.push_back(s.start_time), dropped.push_back(s.dropped);
  hdf5::write_numbers(folder, "step", index, step);
  hdf5::write_attribute(hdf5::write_numbers(folder, "start_time", index, start), "units", "s");
  hdf5::write_numbers(folder, "dropped", index, dropped);
}

void write_pairs(hid_t group, const std::vector<std::pair<std::string, std::string>>& pairs) {
  for (const auto& [key, value] : pairs) hdf5::write_attribute(group, key, value);
}

void refuse(const std::string& what) { throw Error("results layout: " + what); }

void check_name(const std::string& name, std::set<std::string>& seen, const std::string& role) {
  if (name.empty() || name == "." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    refuse(role + " name \"" + name + "\" must be non-empty and without '/'");
  if (!seen.insert(name).second) refuse(role + " \"" + name + "\" is there twice");
}

void check_keys(const std::vector<std::pair<std::string, std::string>>& pairs, const std::string& role) {
  std::set<std::string> seen;
  for (const auto& [key, value] : pairs)
    if (key.empty() || !seen.insert(key).second) refuse(role + " \"" + key + "\" is empty or there twice");
}

}  // namespace

void check_layout(const Layout& layout) {
  check_keys(layout.params, "parameter");
  check_keys(layout.provenance, "provenance key");
  std::set<std::string> groups, tags;
  for (const Group& group : layout.groups) {
    check_name(group.name, groups, "group");
    std::set<std::string> columns{"step", "wall_time"};
    for (const Column& column : group.columns) check_name(column.name, columns, "column of " + group.name);
  }
  for (const Evaluation& evaluation : layout.evaluations) check_evaluation(evaluation);
  for (const ImageTag& tag : layout.images) {
    check_name(tag.tag, tags, "image tag");
    if (tag.height <= 0 || tag.width <= 0 || (tag.channels != 1 && tag.channels != 3))
      refuse("image tag \"" + tag.tag + "\" needs a positive size and 1 or 3 channels");
  }
}

void create_structure(hid_t file, const Layout& layout, std::span<const Segment> segments,
                      std::string_view start_time) {
  hdf5::write_attribute(file, "schema", kSchema);
  hdf5::write_attribute(file, "run_id", layout.run_id);
  hdf5::write_attribute(file, "sweep_id", layout.sweep_id);
  hdf5::write_attribute(file, "config_hash", layout.config_hash);
  hdf5::write_attribute(file, "status", std::string("running").append(kLongestStatus - 7, '\0'));
  hdf5::write_attribute(file, "start_time", start_time);
  const Handle config = hdf5::create_group(file, "config");
  hdf5::write_text(config, "toml", layout.config_toml);
  hdf5::write_text(config, "json", layout.config_json);
  write_pairs(hdf5::create_group(config, "params"), layout.params);
  const Handle provenance = hdf5::create_group(file, "provenance");
  write_pairs(provenance, layout.provenance);
  create_plugins(provenance, layout.plugins);
  const Handle metrics = hdf5::create_group(file, "metrics"), images = hdf5::create_group(file, "images");
  for (const Group& group : layout.groups) create_metrics(metrics, group);
  for (const ImageTag& tag : layout.images) create_images(images, tag);
  create_segments(file, segments);
  write_evaluations(file, layout.evaluations);
}

}  // namespace perrin::store
