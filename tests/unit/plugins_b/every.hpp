// For tests that hold for every component of a kind: which there are, how one is made, and what all must hold to.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

// All of the built-in library of a kind.
std::vector<std::string> ids_of(const std::string& kind);

// Values for its keys that have no default: the least whole number above 2, the first choice, `texts` for lists of texts.
// None where a key names something that only a user has, a file for example.
std::optional<Values> required_values(const std::string& kind, const std::string& id,
                                      const std::vector<std::string>& texts = {});

// The ids that have required_values.
std::vector<std::string> ids_without_files(const std::string& kind, const std::vector<std::string>& texts = {});

// Those of `sizes` that are keys of the component.
Values keys_of(const std::string& kind, const std::string& id, const Values& sizes);

// "class-label" as the name of a test.
std::string id_as_name(const ::testing::TestParamInfo<std::string>& info);

// Moves all parameters by draws of this deviation: what starts from zero hides what is behind it.
void move(const Bound& net, double deviation);

// Two components of other parameters differ in `output`; with the same ones they agree to the bit.
void expect_parameters_alone(const std::function<Bound()>& make, const std::function<at::Tensor(const Bound&)>& output);

// f, a scalar, along one random unit vector in all parameters together, in steps of h: |analytic - numeric| relative to
// the numeric. What is linear in pieces wants a small h.
double directional_error(const std::function<at::Tensor()>& f, const Bound& net, double h = 1e-3);

}  // namespace perrin::testing
