// What was measured of a run's weights after it (schema perrin.run/1, docs/reference/run-h5.md).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace perrin::store {

// One number of n samples.
struct Number {
  std::string name, unit, doc;
  double value = 0;
  int64_t n = 0;
};

// Values along an axis, as of the loss over noise levels.
struct Curve {
  std::string name, unit, doc;
  std::string axis, axis_unit, axis_doc;
  std::vector<double> at, values;  // of equal length
};

struct Evaluation {
  std::string time;  // UTC, ISO 8601: when it was begun
  int64_t step = 0;  // optimizer steps of the weights
  std::vector<std::pair<std::string, std::string>>
      facts;  // command, program, checkpoint, and what the numbers depend on
  std::vector<Number> numbers;
  std::vector<Curve> curves;
};

}  // namespace perrin::store
