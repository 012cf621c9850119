#include "host/services/component.hpp"

#include <cstring>

#include "host/base/name_hash.hpp"
#include "host/kernels/random.hpp"
#include "host/services/config.hpp"
#include "host/services/host.hpp"
#include "perrin/host/log.h"
#include "perrin/host/rng.h"

namespace perrin::services {
namespace {

const char *const kValidate = loader::keep_text("validate"), *const kCreate = loader::keep_text("create"),
                  *const kDestroy = loader::keep_text("destroy"),
                  *const kGetExtension = loader::keep_text("get_extension");
constexpr uint32_t kBalanceEvery = 32;  // calls

const perrin_component& descriptor_of(const loader::Library& library, const config::Component& chosen) {
  const perrin_component* found = library.find(chosen.kind, chosen.use);
  if (found == nullptr)
    throw Error("the library has no " + chosen.kind + " \"" + chosen.use + "\" any more", library.file,
                "`perrin plugin list` shows what is there");
  return *found;
}

const loader::Library& load_library(loader::Registry& registry, const config::Component& chosen) {
  if (chosen.factory == nullptr)
    throw Error(chosen.kind + " \"" + chosen.use + "\" was not resolved against a catalogue");
  return registry.load(chosen.factory->library, chosen.sha256);
}

// Each kind draws its own numbers from the run's seed.
uint64_t generator_seed(uint64_t seed, const std::string& kind) {
  uint32_t words[2];
  random::bits({seed, PERRIN_PURPOSE_INIT, 0}, name_hash(kind), 0, words);
  return uint64_t{words[0]} << 32 | words[1];
}

}  // namespace

Component::Component(loader::Registry& registry, const config::Component& chosen, uint64_t seed,
                     std::shared_ptr<Session> session)
    : Component([&]() -> Component {
        const auto& library = load_library(registry, chosen);
        try {
          return Component(library, descriptor_of(library, chosen), chosen.kind, chosen.values, seed, session);
        } catch (PluginError& error) {
          const auto& at = chosen.location;
          if (error.code == PERRIN_INVALID_CONFIG && at.line > 0)
            error.where =
                at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ", " + error.where;
          throw;
        }
      }()) {}

Component::Component(const loader::Library& library, const perrin_component& descriptor, std::string kind,
                     std::map<std::string, config::Value> values, uint64_t seed, std::shared_ptr<Session> session)
    : library_(&library),
      descriptor_(&descriptor),
      seed_(generator_seed(seed, kind)),
      session_(std::move(session)),
      said_(new Said),
      kind_(std::move(kind)),
      kind_id_(loader::kind_id(kind_)),
      id_(view(descriptor.id)) {
  crumb_id_ = loader::keep_text(id_.c_str());
  said_->closely = session_->closely();
  create(std::move(values));
}

void Component::create(const std::map<std::string, config::Value>& values) {
  const perrin_config config(values);
  const perrin_host* tables = library_->note.tier == PERRIN_TIER_B ? native_host() : host();
  const InSession in(*session_);
  const Counting counting(said_->account);
  const ProcessState before = read_process();
  if (descriptor_->validate != nullptr)
    services::invoke(crumb(kValidate), [&] { return descriptor_->validate(tables, &config); });
  void* instance = nullptr;
  invoke_seeded(crumb(kCreate), seed_, [&] { return descriptor_->create(tables, &config, &instance); });
  instance_ = instance;
  if (instance == nullptr) throw Misbehaviour("the plugin gave no instance and no status", describe(crumb(kCreate)));
  check_process(before, crumb(kCreate));
}

Component::~Component() {
  if (instance_ == nullptr || descriptor_->destroy == nullptr) return;
  const InSession in(*session_);
  const GlobalState before = read_state();
  {
    const Counting counting(said_->account);
    loader::Inside mark(library_->crumb, crumb_id_, kDestroy);
    try {
      descriptor_->destroy(instance_);
    } catch (...) {  // a destructor has nobody to tell, and the instance is gone either way
    }
  }
  loader::end_forked_child();
  restore_state(before);
  forget_accusation();
  if (const int64_t held = said_->account->held; held > 0)
    session_->log(PERRIN_LOG_WARNING, library_->crumb,
                  "still owns " + std::to_string(held) + " references to tensors after \"" + id_ +
                      "\" was destroyed: it loses them");
}

Component::Watched::Watched(const Component& component, const char* call) : component_(component), call_(call) {
  Said& said = *component.said_;
  const uint32_t calls = said.calls.fetch_add(1, std::memory_order_relaxed);
  if (Call(component.crumb(call), component.instance_, said).closely()) before_ = std::make_unique<ProcessState>(read_process());
  if (calls % kBalanceEvery == kBalanceEvery - 1) said.check_balance(component.crumb(call));
}

void Component::Watched::check() const {
  if (before_) check_process(*before_, component_.crumb(call_));
}

Component::Component(Component&& other) noexcept { *this = std::move(other); }

Component& Component::operator=(Component&& other) noexcept {
  std::swap(library_, other.library_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(instance_, other.instance_);
  std::swap(seed_, other.seed_);
  std::swap(session_, other.session_);
  std::swap(crumb_id_, other.crumb_id_);
  std::swap(said_, other.said_);
  std::swap(kind_, other.kind_);
  std::swap(kind_id_, other.kind_id_);
  std::swap(id_, other.id_);
  return *this;
}

const void* Component::find_extension(std::string_view id) const {
  if (descriptor_ == nullptr) return nullptr;
  if (!PERRIN_HAS(descriptor_, perrin_component, get_extension) || descriptor_->get_extension == nullptr)
    return nullptr;
  loader::Inside mark(library_->crumb, crumb_id_, kGetExtension);
  const void* table = descriptor_->get_extension(text(id));
  // Each table begins with its size; what has another first word is no table.
  uint32_t size = 0;
  if (table != nullptr) std::memcpy(&size, table, sizeof size);
  if (table != nullptr && (size < 2 * sizeof(uint32_t) || size > 4096))
    throw Misbehaviour("the plugin gave a table of " + std::to_string(size) + " bytes for " + std::string(id),
                       describe(crumb(kGetExtension)));
  return table;
}

void Component::wrong_kind(std::string_view id) const {
  throw Error(kind_ + " \"" + id_ + "\" was used as " + std::string(id));
}

void Component::missing(const char* function) const {
  throw PluginError(PERRIN_UNSUPPORTED, "the plugin does not offer " + std::string(function), describe(crumb(function)),
                    "use a newer version of the plugin, or another component");
}

}  // namespace perrin::services
