#include "host/app/front/show_text.hpp"

#include <chrono>
#include <map>
#include <optional>

#include "host/app/front/show_summary.hpp"
#include "host/base/printable.hpp"
#include "host/console/plot.hpp"
#include "host/console/table.hpp"
#include "host/console/units.hpp"

namespace perrin::app {
namespace {

using console::Table;
using console::Terminal;

std::string styled(const char* code, const std::string& text, const Terminal& terminal) {
  return terminal.color ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
}

std::string title(const std::string& text, const Terminal& terminal) {
  return "\n" + styled("1", text, terminal) + "\n";
}

// Last step over all groups, and the moment of the newest row.
struct Newest {
  int64_t step = 0;
  double wall_time = 0;
};

Newest newest_row(const store::Reader& reader) {
  Newest newest;
  for (const store::Group& group : reader.layout().groups) {
    const store::Series series = reader.series(group.name, "wall_time");
    if (series.step.empty()) continue;
    newest.step = std::max(newest.step, series.step.back());
    newest.wall_time = std::max(newest.wall_time, series.wall_time.back());
  }
  return newest;
}

// A run that says "running" and has long written nothing was probably killed: say how old the newest row is.
std::string status_text(const store::Reader& reader, const Newest& newest, const Terminal& terminal) {
  const std::string& status = reader.status();
  const char* code = status == "finished" ? "32" : status == "failed" ? "31" : status == "running" ? "36" : "33";
  std::string text = styled(code, one_line(status), terminal);
  if (newest.wall_time <= 0) return text + ", no rows yet";
  text += ", step " + std::to_string(newest.step);
  if (!reader.segments().empty())
    text += ", newest row " + console::duration(newest.wall_time - reader.segments().front().start_time) +
            " after the start";
  if (status == "running") {
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    text += ", " + console::duration(now - newest.wall_time) + " ago";
  }
  return text;
}

std::string head(const store::Reader& reader, const std::filesystem::path& file, const Terminal& terminal) {
  const store::Layout& layout = reader.layout();
  Table table({"", ""});
  table.add(
      {"run", one_line(layout.run_id) + (layout.sweep_id.empty() ? "" : "  of sweep " + one_line(layout.sweep_id))});
  table.add({"status", status_text(reader, newest_row(reader), terminal)});
  table.add({"started", one_line(reader.start_time())});
  table.add({"config", one_line(layout.config_hash.substr(0, 16))});
  table.add(
      {"file", one_line(file.string()) + "  " + console::bytes(static_cast<double>(std::filesystem::file_size(file)))});
  for (const auto& [key, value] : layout.provenance)
    if (key == "git_commit" || key == "libtorch" || key == "cpu") table.add({key, one_line(value)});
  return table.text(terminal.width);
}

// The components by their addresses: "<kind>.use" of the resolved configuration.
std::string composition(const store::Layout& layout, const Terminal& terminal) {
  Table table({"", "", ""});
  std::map<std::string, std::string> versions;
  for (const store::Plugin& plugin : layout.plugins)
    versions[plugin.id] = one_line(plugin.version + "  tier " + plugin.tier + "  " + plugin.file);
  bool any = false;
  for (const auto& [key, value] : layout.params) {
    if (key.size() <= 4 || key.compare(key.size() - 4, 4, ".use") != 0) continue;
    table.add(
        {one_line(key.substr(0, key.size() - 4)), one_line(value), versions.count(value) ? versions.at(value) : ""});
    any = true;
  }
  return any ? title("composition", terminal) + table.text(terminal.width) : "";
}

// "loss_t3" -> "loss_t": a bucket of the schedule's time domain. Empty for other columns.
std::string bucket_family(const std::string& column) {
  const size_t digits = column.find_last_not_of("0123456789");
  const bool bucket = digits != column.npos && digits + 1 < column.size() && digits >= 1 && column[digits] == 't' &&
                      column[digits - 1] == '_';
  return bucket ? column.substr(0, digits + 1) : "";
}

std::string loss_plot(const store::Reader& reader, const store::Group& group, const Terminal& terminal) {
  for (const store::Column& column : group.columns) {
    if (column.name != "loss") continue;
    const store::Series series = reader.series(group.name, "loss");
    if (series.step.empty()) return "";
    const std::vector<double> steps(series.step.begin(), series.step.end());
    const console::PlotStyle style{group.name + "/loss", "step", 10, console::wants_log(series.value)};
    return "\n" + console::plot(steps, series.value, style, terminal);
  }
  return "";
}

// A curve in one line, logarithmic where that shows more.
std::string trend(std::vector<double> values, int width, const Terminal& terminal) {
  if (console::wants_log(values))
    for (double& value : values) value = std::log(value);
  return console::sparkline(values, width, terminal);
}

void add_row(Table& table, const std::string& name, const std::string& unit, const std::vector<double>& values,
             const Terminal& terminal) {
  const Summary s = summary_of(values);
  const auto text = [&](double value) { return with_unit(value, one_line(unit)); };
  table.add({name, text(s.first), text(s.late), text(s.low), text(s.high),
             trend(values, std::max(10, terminal.width - 64), terminal)});
}

std::string columns_table(const store::Reader& reader, const store::Group& group, const Terminal& terminal) {
  Table table({group.name, ">first", ">last tenth", ">min", ">max", "over the run"});
  for (const store::Column& column : group.columns)
    if (bucket_family(column.name).empty())
      add_row(table, column.name, column.unit, reader.series(group.name, column.name).value, terminal);
  return "\n" + table.text(terminal.width);
}

// One line per bucket: its late mean as a number and a bar, so that the loss over the schedule is seen at a glance.
std::string buckets_table(const store::Reader& reader, const store::Group& group, const Terminal& terminal) {
  std::vector<std::pair<std::string, Summary>> buckets;
  std::vector<std::string> curves;
  double highest = 0;
  for (const store::Column& column : group.columns) {
    if (bucket_family(column.name).empty()) continue;
    const std::vector<double> values = reader.series(group.name, column.name).value;
    buckets.emplace_back(column.name, summary_of(values));
    curves.push_back(trend(values, std::max(10, (terminal.width - 40) / 2), terminal));
    if (std::isfinite(buckets.back().second.late)) highest = std::max(highest, buckets.back().second.late);
  }
  if (buckets.empty()) return "";
  Table table({group.name + " by time", ">last tenth", "over the schedule", "over the run"});
  const int room = std::max(10, (terminal.width - 40) / 2);
  for (size_t i = 0; i < buckets.size(); ++i) {
    const double late = buckets[i].second.late;
    std::string bar;
    const int length =
        std::isfinite(late) && late > 0 && highest > 0 ? static_cast<int>(std::lround(late / highest * room)) : 0;
    for (int j = 0; j < length; ++j) bar += terminal.unicode ? "█" : "#";
    table.add({buckets[i].first, with_unit(late, ""), bar, curves[i]});
  }
  return "\n" + table.text(terminal.width);
}

std::string images_table(const store::Reader& reader, const Terminal& terminal) {
  if (reader.layout().images.empty()) return "";
  Table table({"images", "size", ">count", "steps"});
  for (const store::ImageTag& tag : reader.layout().images) {
    const std::vector<int64_t> steps = reader.image_steps(tag.tag);
    std::string list;
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps.size() > 6 && i == 3) list += "... ", i = steps.size() - 2;
      list += std::to_string(steps[i]) + " ";
    }
    const std::string size =
        std::to_string(tag.width) + "x" + std::to_string(tag.height) + "x" + std::to_string(tag.channels);
    table.add({tag.tag, size, std::to_string(steps.size()), list});
  }
  return "\n" + table.text(terminal.width);
}

// One table for each evaluation, under its moment and its command.
std::string evaluations_text(const store::Layout& layout, const Terminal& terminal) {
  std::string text;
  for (const store::Evaluation& e : layout.evaluations) {
    text += title("evaluated " + one_line(e.time) + ", step " + std::to_string(e.step), terminal);
    for (const auto& [key, value] : e.facts)
      if (key == "command") text += one_line(value) + "\n";
    Table table({"", ">value", "", ">n"});
    for (const store::Number& v : e.numbers)
      table.add({one_line(v.name), console::number(v.value), one_line(v.unit), std::to_string(v.n)});
    for (const store::Curve& c : e.curves) {
      const std::string ends = c.at.empty() ? ""
                                            : " over " + one_line(c.axis) + " " + console::number(c.at.front()) +
                                                  " to " + console::number(c.at.back());
      table.add({one_line(c.name), "", trend(c.values, std::max(10, terminal.width - 64), terminal) + ends, ""});
    }
    text += table.text(terminal.width);
  }
  return text;
}

std::string segments_table(const store::Reader& reader, const Terminal& terminal) {
  if (reader.segments().size() < 2) return "";
  Table table({"segment", ">from step", ">dropped rows", ">after the start"});
  const double start = reader.segments().front().start_time;
  for (size_t i = 0; i < reader.segments().size(); ++i) {
    const store::Segment& s = reader.segments()[i];
    table.add({std::to_string(i), std::to_string(s.step), std::to_string(s.dropped),
               console::duration(s.start_time - start)});
  }
  return "\n" + table.text(terminal.width);
}

}  // namespace

std::string show_text(const store::Reader& reader, const std::filesystem::path& file, const Terminal& terminal) {
  std::string text = head(reader, file, terminal) + composition(reader.layout(), terminal);
  for (const store::Group& group : reader.layout().groups) {
    if (reader.rows(group.name) == 0) continue;
    text += loss_plot(reader, group, terminal) + columns_table(reader, group, terminal) +
            buckets_table(reader, group, terminal);
  }
  return text + images_table(reader, terminal) + segments_table(reader, terminal) +
         evaluations_text(reader.layout(), terminal);
}

}  // namespace perrin::app
