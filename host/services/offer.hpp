// Components that a service opens for another component, by name.
#pragma once

#include <functional>
#include <string>

#include "host/config/catalogue.hpp"
#include "host/loader/registry.hpp"
#include "host/loader/search.hpp"

namespace perrin::services {

struct Offer {
  const loader::Library* library = nullptr;  // loaded
  config::Factory factory;                   // its schema
};
// (kind, id or alias) -> what is offered under it. Throws perrin::Error, with the names that there are.
using Offers = std::function<Offer(const std::string& kind, const std::string& use)>;

// What `places` hold when it is asked. `registry` must outlive it.
Offers offers_of(loader::Registry& registry, loader::Places places);

}  // namespace perrin::services
