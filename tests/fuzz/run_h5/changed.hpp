// A run.h5 with a few changes, which the input chooses.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <string>

namespace perrin::fuzz {

// The bytes of `base` after changes by HDF5's own functions and, of some inputs, byte by byte.
std::string changed(FuzzedDataProvider input, const std::string& base);

}  // namespace perrin::fuzz
