// What the metadata of an extractor's weights say of it: sdk/include/perrin/host/extractor.h has the format.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "host/config/catalogue.hpp"
#include "perrin/host/tensor.h"

namespace perrin::services {

inline constexpr const char* kExtractorId = "perrin.extractor";
inline constexpr const char* kExtractorConfig = "perrin.extractor.config";
inline constexpr const char* kExtractorInput = "perrin.extractor.input";
inline constexpr const char* kExtractorClasses = "perrin.extractor.classes";

// The metadata of the weights of a component of `kind` with these keys, trained on images x of n_classes classes:
// "perrin.<kind>" and so on, as above for extractors. The tensors beside them have the names that it declares, without
// scratch.
std::map<std::string, std::string> weights_metadata(const std::string& kind, const std::string& id,
                                                    const std::map<std::string, config::Value>& values,
                                                    const perrin_spec& x, uint64_t n_classes);

// The keys of `factory`: defaults, then those of perrin.extractor.config. Throws Fault that starts with `file`.
std::map<std::string, config::Value> extractor_values(const config::Factory& factory, const std::string& config,
                                                      const std::string& file);

// Number of channels that perrin.extractor.input has, and perrin.extractor.classes; 0 for empty texts.
int64_t extractor_channels(const std::string& input, const std::string& file);
uint64_t extractor_classes(const std::string& classes, const std::string& file);

}  // namespace perrin::services
