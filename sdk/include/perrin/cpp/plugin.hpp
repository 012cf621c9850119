// C++17 layer over abi.h, tier A: errors, configuration, component registration, entry point. Header-only, no LibTorch.
//
// A component is a class with
//   static constexpr std::string_view id, version, doc;          optional: aliases
//   static std::vector<perrin::Key> keys();                      its schema
//   explicit T(const perrin::Config&);                           throws perrin::Failure
//   static void validate(const perrin::Config&);                 optional: rules across keys
// and the members that its kind's header names (schedule.hpp, sampler.hpp, ...). One macro per component registers it
// (PERRIN_SCHEDULE(T), ...), one per library makes the entry point (PERRIN_LIBRARY).
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../abi.h"
#include "../host/config.h"

namespace perrin {

inline perrin_text text(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view view(perrin_text t) { return {t.data, static_cast<size_t>(t.size)}; }

// ---- Host and errors -------------------------------------------------------------------------------------------------

namespace detail {
inline const perrin_host*& host_slot() {
  static const perrin_host* host = nullptr;
  return host;
}
}  // namespace detail

// The host; valid from init on, which comes before every create.
inline const perrin_host* host() { return detail::host_slot(); }

// What a component throws. Becomes a status at the boundary, with the component's id as its place.
class Failure : public std::runtime_error {
 public:
  Failure(uint32_t code, const std::string& message) : std::runtime_error(message), code(code) {}
  explicit Failure(const std::string& message) : Failure(PERRIN_ERROR, message) {}
  uint32_t code;
};

// A failure that the host reported. If nothing catches it, the host gets its own status back and names the real culprit.
class HostFailure : public Failure {
 public:
  // Takes the status over.
  explicit HostFailure(perrin_status* status)
      : Failure(host()->status_code(status), std::string(view(host()->status_message(status)))),
        status_(new Owner{status}) {}
  // The status the first time, NULL after that.
  perrin_status* release() const { return std::exchange(status_->status, nullptr); }

 private:
  struct Owner {
    perrin_status* status;
    ~Owner() { host()->status_free(status); }
  };
  std::shared_ptr<Owner> status_;  // shared by the copies of this exception
};

// Throws HostFailure if a host service failed.
inline void check(perrin_status* status) {
  if (status) throw HostFailure(status);
}

// The table of a host service, or Failure if this host has none.
template <class Table>
const Table* service(std::string_view id) {
  const void* table = host()->get_extension(host(), text(id));
  if (!table) throw Failure(PERRIN_UNSUPPORTED, "this Perrin has no host service " + std::string(id));
  return static_cast<const Table*>(table);
}

namespace detail {
inline perrin_status* status(uint32_t code, std::string_view message, std::string_view where) noexcept {
  // LibTorch appends its C++ stack to the text of an error.
  message = message.substr(0, message.find("\nException raised from"));
  return host()->status_new(code, text(message), text(where));
}

// Runs `f` and turns whatever it throws into a status that names `where`.
template <class F>
perrin_status* guarded(std::string_view where, F&& f) noexcept {
  try {
    f();
    return nullptr;
  } catch (const HostFailure& failure) {
    perrin_status* own = failure.release();
    return own ? own : status(failure.code, failure.what(), where);
  } catch (const Failure& failure) {
    return status(failure.code, failure.what(), where);
  } catch (const std::bad_alloc&) {
    return status(PERRIN_OUT_OF_MEMORY, "out of memory", where);
  } catch (const std::exception& failure) {
    return status(PERRIN_ERROR, failure.what(), where);
  } catch (...) {
    return status(PERRIN_ERROR, "threw something that is not a std::exception", where);
  }
}
}  // namespace detail

// ---- Configuration ---------------------------------------------------------------------------------------------------

// A component's validated values. Valid during the constructor only; copy what is needed.
class Config {
 public:
  explicit Config(const perrin_config* config)
      : config_(config), api_(service<perrin_host_config>(PERRIN_HOST_CONFIG)) {}

  bool boolean(std::string_view key) const { return get<int32_t>(api_->get_boolean, key) != 0; }
  int64_t integer(std::string_view key) const { return get<int64_t>(api_->get_integer, key); }
  double number(std::string_view key) const { return get<double>(api_->get_number, key); }
  std::string string(std::string_view key) const { return std::string(view(get<perrin_text>(api_->get_string, key))); }
  std::vector<int64_t> integers(std::string_view key) const { return list<int64_t>(api_->get_integers, key); }
  std::vector<double> numbers(std::string_view key) const { return list<double>(api_->get_numbers, key); }
  std::vector<std::string> strings(std::string_view key) const {
    std::vector<std::string> result;
    for (perrin_text t : list<perrin_text>(api_->get_strings, key)) result.emplace_back(view(t));
    return result;
  }

 private:
  template <class V, class Get>
  V get(Get getter, std::string_view key) const {
    V value{};
    check(getter(config_, text(key), &value));
    return value;
  }
  template <class V, class Get>
  std::vector<V> list(Get getter, std::string_view key) const {
    const V* values = nullptr;
    uint64_t n = 0;
    check(getter(config_, text(key), &values, &n));
    return std::vector<V>(values, values + n);
  }

  const perrin_config* config_;
  const perrin_host_config* api_;
};

// One entry of keys(): Key::number("beta_start", "1e-4", "beta of the first step").min(0).max(1). Texts are literals.
class Key {
 public:
  // `value`: the default as TOML; nullptr makes the key required.
  static Key boolean(const char* name, const char* value, const char* doc) { return {PERRIN_BOOLEAN, name, value, doc}; }
  static Key integer(const char* name, const char* value, const char* doc) { return {PERRIN_INTEGER, name, value, doc}; }
  static Key number(const char* name, const char* value, const char* doc) { return {PERRIN_NUMBER, name, value, doc}; }
  static Key string(const char* name, const char* value, const char* doc) { return {PERRIN_STRING, name, value, doc}; }
  static Key integers(const char* name, const char* value, const char* doc) { return {PERRIN_INTEGERS, name, value, doc}; }
  static Key numbers(const char* name, const char* value, const char* doc) { return {PERRIN_NUMBERS, name, value, doc}; }
  static Key strings(const char* name, const char* value, const char* doc) { return {PERRIN_STRINGS, name, value, doc}; }

  Key min(double bound) && { return flag(PERRIN_KEY_MIN, abi_.min = bound); }
  Key max(double bound) && { return flag(PERRIN_KEY_MAX, abi_.max = bound); }
  Key above(double bound) && { return flag(PERRIN_KEY_MIN | PERRIN_KEY_MIN_EXCLUSIVE, abi_.min = bound); }
  Key below(double bound) && { return flag(PERRIN_KEY_MAX | PERRIN_KEY_MAX_EXCLUSIVE, abi_.max = bound); }
  Key unit(const char* name) && { return abi_.unit = text(name), std::move(*this); }
  Key since(const char* version) && { return abi_.since = text(version), std::move(*this); }
  Key alias(const char* name) && { return abi_.alias = text(name), std::move(*this); }
  Key deprecated() && { return flag(PERRIN_KEY_DEPRECATED, 0); }
  Key choices(std::initializer_list<const char*> values) && {
    for (const char* value : values) choices_.push_back(text(value));
    return std::move(*this);
  }

  // The ABI's struct; points into this object.
  perrin_key abi() const {
    perrin_key key = abi_;
    key.n_choices = static_cast<uint32_t>(choices_.size());
    key.choices = choices_.data();
    return key;
  }

 private:
  Key(uint32_t type, const char* name, const char* value, const char* doc) {
    abi_.struct_size = sizeof abi_;
    abi_.type = type;
    abi_.flags = value ? 0 : PERRIN_KEY_REQUIRED;
    abi_.name = text(name);
    abi_.default_value = text(value ? value : "");
    abi_.doc = text(doc);
    abi_.since = text("0.1.0");
  }
  Key flag(uint32_t bits, double) { return abi_.flags |= bits, std::move(*this); }

  perrin_key abi_{};
  std::vector<perrin_text> choices_;
};

// ---- Registration ----------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class = void>
struct Aliases {
  static constexpr std::string_view value = "";
};
template <class T>
struct Aliases<T, std::void_t<decltype(T::aliases)>> {
  static constexpr std::string_view value = T::aliases;
};

template <class T, class = void>
struct Validate {
  static constexpr decltype(perrin_component::validate) function = nullptr;
};
template <class T>
struct Validate<T, std::void_t<decltype(&T::validate)>> {
  static perrin_status* function(const perrin_host*, const perrin_config* config) {
    return guarded(T::id, [&] { T::validate(Config(config)); });
  }
};

template <class T>
perrin_status* create(const perrin_host*, const perrin_config* config, void** instance) {
  return guarded(T::id, [&] { *instance = new T(Config(config)); });
}
template <class T>
void destroy(void* instance) {
  delete static_cast<T*>(instance);
}

// Runs one member function of an instance behind the boundary.
template <class T, class F>
perrin_status* call(void* instance, F&& f) noexcept {
  return guarded(T::id, [&] { f(*static_cast<T*>(instance)); });
}

// The library's components by kind. Filled by static initialisers, then only read.
struct Kind {
  std::string_view id;
  std::vector<const perrin_component*> components;
  perrin_factory factory;
};
inline std::deque<Kind>& kinds() {
  static std::deque<Kind> kinds;
  return kinds;
}

template <class T>
const perrin_component* describe(const void* table, const void* (*get_extension)(perrin_text)) {
  static const std::vector<Key> schema = T::keys();
  static const std::vector<perrin_key> keys = [] {
    std::vector<perrin_key> list;
    for (const Key& key : schema) list.push_back(key.abi());
    return list;
  }();
  static const perrin_component component = {sizeof component, static_cast<uint32_t>(keys.size()), text(T::id),
                                             text(T::version), text(T::doc), text(Aliases<T>::value), keys.data(),
                                             table, Validate<T>::function, create<T>, destroy<T>, get_extension};
  return &component;
}

inline bool add(std::string_view kind, const perrin_component* component) {
  Kind* entry = nullptr;
  for (Kind& k : kinds())
    if (k.id == kind) entry = &k;
  if (!entry) entry = &kinds().emplace_back(Kind{kind, {}, {}});
  entry->components.push_back(component);
  entry->factory = {sizeof(perrin_factory), static_cast<uint32_t>(entry->components.size()), entry->components.data()};
  return true;
}

inline perrin_status* init(const perrin_host* host) {
  host_slot() = host;
  return nullptr;
}
inline void deinit() { host_slot() = nullptr; }
inline const perrin_factory* get_factory(perrin_text kind) {
  for (const Kind& k : kinds())
    if (k.id == view(kind)) return &k.factory;
  return nullptr;
}

}  // namespace detail
}  // namespace perrin

#define PERRIN_CONCAT_(a, b) a##b
#define PERRIN_CONCAT(a, b) PERRIN_CONCAT_(a, b)
// Registers class T, whose table and extensions `Adapter<T>` has. The kinds' headers wrap this.
#define PERRIN_COMPONENT(kind_id, Adapter, T)                                                   \
  [[maybe_unused]] static const bool PERRIN_CONCAT(perrin_component_, __COUNTER__) =            \
      ::perrin::detail::add(kind_id, ::perrin::detail::describe<T>(&Adapter<T>::table, Adapter<T>::get_extension))

// The entry point, in one file of each library: PERRIN_LIBRARY(PERRIN_NOTE_TIER_A).
#define PERRIN_LIBRARY(...)                                                                                  \
  PERRIN_ELF_NOTE(__VA_ARGS__)                                                                               \
  extern "C" PERRIN_EXPORT const perrin_entry_table perrin_entry = {                                         \
      PERRIN_MAGIC, sizeof(perrin_entry_table), __VA_ARGS__, ::perrin::detail::init, ::perrin::detail::deinit, \
      ::perrin::detail::get_factory};
