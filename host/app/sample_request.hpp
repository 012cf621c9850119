// What `perrin sample` asks for beside the experiment: prompts, interpolation, images.
#pragma once

#include "host/app/sample_image.hpp"
#include "host/app/sample_tensors.hpp"
#include "host/sample/classes.hpp"

namespace perrin::app {

// What --class says.
sample::Classes chosen_classes(const model::Model& model, const options::variables_map& values);

// The request: the grid's classes and conditions, or what the options say. Throws Error, usage for options that do not
// go together.
sample::Request make_request(model::Model& model, const options::variables_map& values, const sample::Classes& chosen,
                             const Pictures& pictures, const GivenTensors& tensors);

}  // namespace perrin::app
