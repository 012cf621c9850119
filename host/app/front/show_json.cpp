#include "host/app/json_text.hpp"
#include "host/app/front/show_summary.hpp"
#include "host/app/front/show_text.hpp"

namespace perrin::app {
namespace {

using json = nlohmann::json;

json pairs(const std::vector<std::pair<std::string, std::string>>& list) {
  json object = json::object();
  for (const auto& [key, value] : list) object[key] = value;
  return object;
}

json metrics(const store::Reader& reader) {
  json groups = json::object();
  for (const store::Group& group : reader.layout().groups) {
    json columns = json::object();
    int64_t last_step = 0;
    for (const store::Column& column : group.columns) {
      const store::Series series = reader.series(group.name, column.name);
      if (!series.step.empty()) last_step = series.step.back();
      const Summary s = summary_of(series.value);
      columns[column.name] = {{"unit", column.unit}, {"doc", column.doc}, {"first", s.first},         {"last", s.last},
                              {"min", s.low},        {"max", s.high},     {"mean_last_tenth", s.late}};
    }
    groups[group.name] = {{"rows", reader.rows(group.name)}, {"last_step", last_step}, {"columns", columns}};
  }
  return groups;
}

json images(const store::Reader& reader) {
  json tags = json::object();
  for (const store::ImageTag& tag : reader.layout().images)
    tags[tag.tag] = {{"height", tag.height},
                     {"width", tag.width},
                     {"channels", tag.channels},
                     {"steps", reader.image_steps(tag.tag)}};
  return tags;
}

json evaluations(const store::Layout& layout) {
  json all = json::array();
  for (const store::Evaluation& e : layout.evaluations) {
    json numbers = json::object(), curves = json::object();
    for (const store::Number& v : e.numbers)
      numbers[v.name] = {{"value", v.value}, {"unit", v.unit}, {"n", v.n}, {"doc", v.doc}};
    for (const store::Curve& c : e.curves)
      curves[c.name] = {{"axis", c.axis}, {"at", c.at}, {"values", c.values}, {"unit", c.unit}, {"doc", c.doc}};
    all.push_back(
        {{"time", e.time}, {"step", e.step}, {"facts", pairs(e.facts)}, {"numbers", numbers}, {"curves", curves}});
  }
  return all;
}

}  // namespace

std::string show_json(const store::Reader& reader, const std::filesystem::path& file) {
  const store::Layout& layout = reader.layout();
  json plugins = json::array(), segments = json::array();
  for (const store::Plugin& p : layout.plugins)
    plugins.push_back({{"id", p.id},
                       {"kind", p.kind},
                       {"version", p.version},
                       {"tier", p.tier},
                       {"file", p.file},
                       {"sha256", p.sha256}});
  for (const store::Segment& s : reader.segments())
    segments.push_back({{"step", s.step}, {"start_time", s.start_time}, {"dropped", s.dropped}});
  const json all = {{"file", file.string()},
                    {"schema", store::kSchema},
                    {"run_id", layout.run_id},
                    {"sweep_id", layout.sweep_id},
                    {"config_hash", layout.config_hash},
                    {"status", reader.status()},
                    {"start_time", reader.start_time()},
                    {"params", pairs(layout.params)},
                    {"provenance", pairs(layout.provenance)},
                    {"plugins", plugins},
                    {"metrics", metrics(reader)},
                    {"images", images(reader)},
                    {"evaluations", evaluations(layout)},
                    {"segments", segments}};
  return json_text(all);
}

}  // namespace perrin::app
