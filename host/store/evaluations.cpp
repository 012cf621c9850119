#include "host/store/evaluations.hpp"

#include <set>

#include "host/base/error.hpp"
#include "host/store/tables.hpp"

namespace perrin::store {
namespace {

using hdf5::Handle;

// One text of every number.
std::vector<std::string> texts_of(const std::vector<Number>& numbers, std::string Number::*text) {
  std::vector<std::string> all;
  for (const Number& number : numbers) all.push_back(number.*text);
  return all;
}

void write_numbers(hid_t group, const std::vector<Number>& numbers) {
  std::vector<double> values;
  std::vector<int64_t> n;
  for (const Number& number : numbers) values.push_back(number.value), n.push_back(number.n);
  const Handle index = hdf5::write_index(group, "number", numbers.size());
  hdf5::write_texts(group, "name", index, texts_of(numbers, &Number::name));
  hdf5::write_numbers(group, "value", index, values);
  hdf5::write_texts(group, "unit", index, texts_of(numbers, &Number::unit));
  hdf5::write_numbers(group, "n", index, n);
  hdf5::write_texts(group, "doc", index, texts_of(numbers, &Number::doc));
}

void describe(hid_t dataset, const std::string& unit, const std::string& doc) {
  if (!unit.empty()) hdf5::write_attribute(dataset, "units", unit);
  if (!doc.empty()) hdf5::write_attribute(dataset, "long_name", doc);
}

void write_curve(hid_t curves, const Curve& curve) {
  const Handle group = hdf5::create_group(curves, curve.name);
  const Handle axis = hdf5::write_axis(group, curve.axis, curve.at);
  describe(axis, curve.axis_unit, curve.axis_doc);
  describe(hdf5::write_numbers(group, "value", axis, curve.values), curve.unit, curve.doc);
}

void read_numbers(hid_t group, std::vector<Number>& numbers) {
  const std::vector<std::string> names = hdf5::read_texts(group, "name"), units = hdf5::read_texts(group, "unit"),
                                 docs = hdf5::read_texts(group, "doc");
  const std::vector<double> values = hdf5::read_numbers(group, "value");
  const std::vector<int64_t> n = hdf5::read_integers(group, "n");
  if (units.size() != names.size() || docs.size() != names.size() || values.size() != names.size() ||
      n.size() != names.size())
    throw hdf5::Failure{"reading an evaluation", "columns of different length", 0};
  for (size_t i = 0; i < names.size(); ++i) numbers.push_back({names[i], units[i], docs[i], values[i], n[i]});
}

std::string text_of(hid_t dataset, const char* key) {
  return hdf5::has_attribute(dataset, key) ? hdf5::read_attribute(dataset, key) : std::string();
}

Curve read_curve(hid_t curves, const std::string& name) {
  const Handle group = hdf5::open_group(curves, name);
  Curve curve;
  curve.name = name;
  for (const std::string& series : hdf5::links(group)) {
    const Handle dataset = hdf5::open_dataset(group, series);
    const bool is_value = series == "value";
    if (!is_value) curve.axis = series;
    (is_value ? curve.values : curve.at) = hdf5::read_numbers(group, series);
    (is_value ? curve.unit : curve.axis_unit) = text_of(dataset, "units");
    (is_value ? curve.doc : curve.axis_doc) = text_of(dataset, "long_name");
  }
  if (curve.at.size() != curve.values.size())
    throw hdf5::Failure{"reading a curve", name + " and its axis differ in length", 0};
  return curve;
}

Evaluation read_evaluation(hid_t group) {
  Evaluation found;
  for (const std::string& key : hdf5::attributes(group))
    if (key == "time")
      found.time = hdf5::read_attribute(group, key);
    else
      found.facts.emplace_back(key, hdf5::read_attribute(group, key));
  const std::vector<int64_t> step = hdf5::read_integers(group, "step");
  if (step.size() != 1) throw hdf5::Failure{"reading an evaluation", "it has no step", 0};
  found.step = step.front();
  read_numbers(group, found.numbers);
  const Handle curves = hdf5::open_group(group, "curves");
  for (const std::string& name : hdf5::links(curves)) found.curves.push_back(read_curve(curves, name));
  return found;
}

void refuse(const std::string& what) { throw Error("evaluation: " + what); }

}  // namespace

void check_evaluation(const Evaluation& evaluation) {
  std::set<std::string> facts = {"time"}, names, curves;
  for (const auto& [key, value] : evaluation.facts)
    if (key.empty() || !facts.insert(key).second) refuse("fact \"" + key + "\" is empty or there twice");
  for (const Number& number : evaluation.numbers)
    if (number.name.empty() || !names.insert(number.name).second)
      refuse("number \"" + number.name + "\" is empty or there twice");
  for (const Curve& curve : evaluation.curves) {
    for (const std::string& name : {curve.name, curve.axis})
      if (name.empty() || name == "." || name.find('/') != std::string::npos)
        refuse("curve name \"" + name + "\" must be non-empty and without '/'");
    if (!curves.insert(curve.name).second) refuse("curve \"" + curve.name + "\" is there twice");
    if (curve.axis == "value" || curve.at.size() != curve.values.size())
      refuse("curve \"" + curve.name + "\" needs an axis of its own and of its length");
  }
}

void write_evaluations(hid_t file, const std::vector<Evaluation>& evaluations) {
  const bool there = H5Lexists(file, "evaluations", H5P_DEFAULT) > 0;
  const Handle all = there ? hdf5::open_group(file, "evaluations") : hdf5::create_group(file, "evaluations");
  size_t number = hdf5::links(all).size();
  for (const Evaluation& evaluation : evaluations) {
    const Handle group = hdf5::create_group(all, std::to_string(++number));
    hdf5::write_attribute(group, "time", evaluation.time);
    for (const auto& [key, value] : evaluation.facts) hdf5::write_attribute(group, key, value);
    const hsize_t one = 1;
    const Handle step = hdf5::create_dataset(group, "step", H5T_STD_I64LE, hdf5::simple_space(1, &one));
    hdf5::check(H5Dwrite(step, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &evaluation.step), "writing a step");
    write_numbers(group, evaluation.numbers);
    const Handle curves = hdf5::create_group(group, "curves");
    for (const Curve& curve : evaluation.curves) write_curve(curves, curve);
  }
}

std::vector<Evaluation> read_evaluations(hid_t file) {
  std::vector<Evaluation> all;
  if (H5Lexists(file, "evaluations", H5P_DEFAULT) <= 0) return all;
  const Handle group = hdf5::open_group(file, "evaluations");
  for (const std::string& name : hdf5::links(group)) all.push_back(read_evaluation(hdf5::open_group(group, name)));
  return all;
}

}  // namespace perrin::store
