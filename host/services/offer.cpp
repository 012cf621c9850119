#include "host/services/offer.hpp"

#include "host/base/error.hpp"
#include "host/config/suggest.hpp"
#include "host/loader/index.hpp"

namespace perrin::services {

Offers offers_of(loader::Registry& registry, loader::Places places) {
  return [&registry, places](const std::string& kind, const std::string& use) -> Offer {
    loader::Index index = loader::Index::scan(places);
    const config::Catalogue catalogue = index.catalogue();
    const config::Factory* found = config::find_factory(catalogue, kind, use);
    if (found == nullptr)
      throw Error("there is no " + kind + " \"" + use + "\"", {},
                  config::suggestion(use, config::ids_of_kind(catalogue, kind)), Exit::usage);
    index.require(kind, found->id);
    return {&registry.load(found->library), *found};
  };
}

}  // namespace perrin::services
