#include "host/store/read_layout.hpp"

#include <algorithm>

#include "host/store/evaluations.hpp"
#include "host/store/tables.hpp"

namespace perrin::store {
namespace {

using hdf5::check;
using hdf5::Handle;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read_pairs(hid_t group) {
  Pairs pairs;
  for (const std::string& key : hdf5::attributes(group)) pairs.emplace_back(key, hdf5::read_attribute(group, key));
  return pairs;
}

std::vector<Plugin> read_plugins(hid_t provenance) {
  const Handle group = hdf5::open_group(provenance, "plugins");
  std::vector<Plugin> plugins;
  const auto column = [&](const char* name, std::string Plugin::*field) {
    const std::vector<std::string> texts = hdf5::read_texts(group, name);
    plugins.resize(std::max(plugins.size(), texts.size()));
    for (size_t i = 0; i < texts.size(); ++i) plugins[i].*field = texts[i];
  };
  column("id", &Plugin::id);
  column("kind", &Plugin::kind);
  column("version", &Plugin::version);
  column("tier", &Plugin::tier);
  column("file", &Plugin::file);
  column("sha256", &Plugin::sha256);
  return plugins;
}

Column read_column(hid_t group, const std::string& name) {
  const Handle dataset = hdf5::open_dataset(group, name);
  const Handle type(check(H5Dget_type(dataset), "dataset type"), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) throw hdf5::Failure{"reading a column", name + " holds no numbers", 0};
  const auto text = [&](const char* key) {
    return hdf5::has_attribute(dataset, key) ? hdf5::read_attribute(dataset, key) : std::string();
  };
  return {name, kind == H5T_INTEGER, text("units"), text("long_name")};
}

std::vector<Group> read_groups(hid_t file) {
  const Handle metrics = hdf5::open_group(file, "metrics");
  std::vector<Group> groups;
  for (const std::string& name : hdf5::links(metrics)) {
    const Handle folder = hdf5::open_group(metrics, name);
    Group& group = groups.emplace_back(Group{name, {}});
    for (const std::string& column : hdf5::links(folder))
      if (column != "step" && column != "wall_time") group.columns.push_back(read_column(folder, column));
  }
  return groups;
}

std::vector<ImageTag> read_tags(hid_t file) {
  const Handle images = hdf5::open_group(file, "images");
  std::vector<ImageTag> tags;
  for (const std::string& name : hdf5::links(images)) {
    const Handle data = hdf5::open_dataset(images, name + "/data");
    const Handle space(check(H5Dget_space(data), "data space"), H5Sclose);
    hsize_t dims[4] = {};
    if (H5Sget_simple_extent_ndims(space) != 4) throw hdf5::Failure{"reading images", name + " is not [n, H, W, C]", 0};
    check(H5Sget_simple_extent_dims(space, dims, nullptr), "image size");
    if (dims[1] > 65536 || dims[2] > 65536 || dims[3] > 4 || dims[1] * dims[2] * dims[3] > hdf5::kLargestImage)
      throw hdf5::Failure{"reading images", name + " is too large", 0};
    tags.push_back({name, static_cast<int>(dims[1]), static_cast<int>(dims[2]), static_cast<int>(dims[3])});
  }
  return tags;
}

}  // namespace

Layout read_layout(hid_t file) {
  Layout layout;
  layout.run_id = hdf5::read_attribute(file, "run_id");
  layout.sweep_id = hdf5::read_attribute(file, "sweep_id");
  layout.config_hash = hdf5::read_attribute(file, "config_hash");
  const Handle config = hdf5::open_group(file, "config"), provenance = hdf5::open_group(file, "provenance");
  layout.config_toml = hdf5::read_text(config, "toml");
  layout.config_json = hdf5::read_text(config, "json");
  layout.params = read_pairs(hdf5::open_group(config, "params"));
  layout.provenance = read_pairs(provenance);
  layout.plugins = read_plugins(provenance);
  layout.groups = read_groups(file);
  layout.images = read_tags(file);
  layout.evaluations = read_evaluations(file);
  return layout;
}

std::vector<Segment> read_segments(hid_t file) {
  const Handle group = hdf5::open_group(file, "segments");
  const std::vector<int64_t> step = hdf5::read_integers(group, "step"), dropped = hdf5::read_integers(group, "dropped");
  const std::vector<double> start = hdf5::read_numbers(group, "start_time");
  if (step.size() != start.size() || step.size() != dropped.size())
    throw hdf5::Failure{"reading segments", "columns of different length", 0};
  std::vector<Segment> segments;
  for (size_t i = 0; i < step.size(); ++i) segments.push_back({step[i], start[i], dropped[i]});
  return segments;
}

}  // namespace perrin::store
