// How an installation's programs come to LibTorch, of which they name no folder (docs/decisions/relocatable.md).
#pragma once

namespace perrin::loader {

// Puts LibTorch's folder first on LD_LIBRARY_PATH, for the programs that are started from here: PERRIN_LIBTORCH, else
// the installation's libtorch/, else libtorch-<version> in the cache of ./perrin. Throws perrin::Error where it is in
// none of them. A build tree's programs know theirs: nothing happens. Call it while no other thread reads the
// environment.
void offer_libtorch();

}  // namespace perrin::loader
