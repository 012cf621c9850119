// May a plugin with this note run in this host?
#pragma once

#include <string>
#include <vector>

#include "perrin/abi.h"

namespace perrin::loader {

// One field of the fingerprint in words; `plugin` is empty where the plugin does not say.
struct FingerprintField {
  std::string name, plugin, host, fix;
};
std::vector<FingerprintField> compare_fields(const perrin_fingerprint& plugin, const perrin_fingerprint& host);

// Throws perrin::Error at `name` unless ABI major is equal, the host's minor is at least what the plugin needs (a newer
// host is always fine) and the tier is known.
void check_version(const perrin_note& note, const std::string& name);

// check_version, and for tier B: each field that the plugin fills equals the host's.
void check_compatible(const perrin_note& note, const perrin_fingerprint& host, const std::string& name);

bool equal(const perrin_note& a, const perrin_note& b);

// "A" or "B".
std::string tier_name(uint32_t tier);

}  // namespace perrin::loader
