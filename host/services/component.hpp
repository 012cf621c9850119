// A plugin's component as typed C++: the run part calls plugins only through this.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "host/config/experiment.hpp"
#include "host/loader/registry.hpp"
#include "host/services/contract.hpp"
#include "host/services/process_state.hpp"
#include "host/services/session.hpp"
#include "perrin/host/identity.h"

namespace perrin::services {

// The id under which a table is asked for: kinds, then component extensions.
template <class Table>
inline constexpr std::string_view table_id = "";
template <>
inline constexpr std::string_view table_id<perrin_conditioner> = PERRIN_KIND_CONDITIONER;
template <>
inline constexpr std::string_view table_id<perrin_dataset> = PERRIN_KIND_DATASET;
template <>
inline constexpr std::string_view table_id<perrin_denoiser> = PERRIN_KIND_DENOISER;
template <>
inline constexpr std::string_view table_id<perrin_encoder> = PERRIN_KIND_ENCODER;
template <>
inline constexpr std::string_view table_id<perrin_extractor> = PERRIN_KIND_EXTRACTOR;
template <>
inline constexpr std::string_view table_id<perrin_guidance> = PERRIN_KIND_GUIDANCE;
template <>
inline constexpr std::string_view table_id<perrin_loss> = PERRIN_KIND_LOSS;
template <>
inline constexpr std::string_view table_id<perrin_parameterization> = PERRIN_KIND_PARAMETERIZATION;
template <>
inline constexpr std::string_view table_id<perrin_sampler> = PERRIN_KIND_SAMPLER;
template <>
inline constexpr std::string_view table_id<perrin_schedule> = PERRIN_KIND_SCHEDULE;
template <>
inline constexpr std::string_view table_id<perrin_timesteps> = PERRIN_KIND_TIMESTEPS;
template <>
inline constexpr std::string_view table_id<perrin_weighting> = PERRIN_KIND_WEIGHTING;
template <>
inline constexpr std::string_view table_id<perrin_params> = PERRIN_PARAMS;
template <>
inline constexpr std::string_view table_id<perrin_exact_denoiser> = PERRIN_EXACT_DENOISER;
template <>
inline constexpr std::string_view table_id<perrin_identity> = PERRIN_IDENTITY;
template <>
inline constexpr std::string_view table_id<perrin_state> = PERRIN_STATE;
template <>
inline constexpr std::string_view table_id<perrin_loss_inputs> = PERRIN_LOSS_INPUTS;
template <>
inline constexpr std::string_view table_id<perrin_adversary> = PERRIN_ADVERSARY;
template <>
inline constexpr std::string_view table_id<perrin_conditioner_fit> = PERRIN_CONDITIONER_FIT;
template <>
inline constexpr std::string_view table_id<perrin_encoder_training> = PERRIN_ENCODER_TRAINING;
template <>
inline constexpr std::string_view table_id<perrin_trace> = PERRIN_TRACE;
template <>
inline constexpr std::string_view table_id<perrin_guide_model> = PERRIN_GUIDE_MODEL;
template <>
inline constexpr std::string_view table_id<perrin_negative_condition> = PERRIN_NEGATIVE_CONDITION;

namespace detail {

// "marginal" from the member &perrin_schedule::marginal.
template <auto member>
constexpr std::string_view member_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("member = ") + 9);
  text = text.substr(0, text.find_first_of(";]"));
  if (text.back() == ')') text.remove_suffix(1);
  return text.substr(text.rfind(':') + 1);
}
template <auto member>
struct MemberName {
  static constexpr auto terminated = [] {
    constexpr auto name = member_name<member>();
    std::array<char, name.size() + 1> text = {};
    for (size_t i = 0; i < name.size(); ++i) text[i] = name[i];
    return text;
  }();
};

// Does the plugin's table reach to this member, and is it there?
template <auto member, class Table>
bool holds(const Table& table) {
  const auto* base = reinterpret_cast<const char*>(&table);
  const auto* end = reinterpret_cast<const char*>(&(table.*member)) + sizeof(table.*member);
  return static_cast<size_t>(end - base) <= table.struct_size && table.*member != nullptr;
}

}  // namespace detail

// The functions in which a plugin may make torch::nn modules.
template <auto member>
inline constexpr bool draws_initial_values = false;
template <>
inline constexpr bool draws_initial_values<&perrin_conditioner::infer> = true;
template <>
inline constexpr bool draws_initial_values<&perrin_denoiser::infer> = true;
template <>
inline constexpr bool draws_initial_values<&perrin_encoder::infer> = true;
template <>
inline constexpr bool draws_initial_values<&perrin_extractor::infer> = true;
template <>
inline constexpr bool draws_initial_values<&perrin_loss::infer> = true;
template <>
inline constexpr bool draws_initial_values<&perrin_schedule::infer> = true;

// One instance of a component; destroyed with this object. Thread rules are those of the kind's header.
class Component {
 public:
  // Loads the library, validates, creates. `seed`: the run's, for the initial values that torch::nn modules draw.
  // Throws perrin::Error; a fault of the configuration has Exit::usage and the table's place.
  Component(loader::Registry& registry, const config::Component& chosen, uint64_t seed,
            std::shared_ptr<Session> session = Session::of_process());
  // An instance of `descriptor` with these values; what the constructor above does once it has found them.
  Component(const loader::Library& library, const perrin_component& descriptor, std::string kind,
            std::map<std::string, config::Value> values, uint64_t seed,
            std::shared_ptr<Session> session = Session::of_process());
  // None: an experiment lacks it. Has no extension and may not be called.
  Component() = default;
  ~Component();
  Component(Component&& other) noexcept;
  Component& operator=(Component&& other) noexcept;

  explicit operator bool() const { return instance_ != nullptr; }
  const std::string& kind() const { return kind_; }
  const std::string& id() const { return id_; }
  const loader::Library& library() const { return *library_; }
  Session& session() const { return *session_; }

  // The kind's table. Throws perrin::Error if this component is of another kind.
  template <class Table>
  const Table& table() const {
    check_kind(table_id<Table>);
    return *static_cast<const Table*>(descriptor_->table);
  }

  // The table of an optional capability (perrin_params, perrin_exact_denoiser), or null.
  template <class Extension>
  const Extension* extension() const {
    return static_cast<const Extension*>(find_extension(table_id<Extension>));
  }

  // Does the plugin have this function? `schedule.has<&perrin_schedule::t_of_log_snr>()`.
  template <auto member>
  bool has() const {
    const auto* table = find_table<member>();
    return table != nullptr && detail::holds<member>(*table);
  }

  // Calls a function of the kind's table or of an extension on this instance, guarded and held to its contract:
  // `schedule.invoke<&perrin_schedule::marginal>(n, t, alpha, sigma)`. Throws perrin::Error that names plugin and
  // function if it is missing, fails, throws, leaves global state changed or gives what the header rules out; the
  // outputs are then as they were. Texts and arrays that it names are the host's copies, valid until the same function
  // is called again; handles are references of the caller's. What draws initial values runs with a seeded generator.
  template <auto member, class... Args>
  void invoke(Args... args) const {
    constexpr const char* name = detail::MemberName<member>::terminated.data();
    static const char* const kept = loader::keep_text(name);
    const auto* table = find_table<member>();
    if (table == nullptr || !detail::holds<member>(*table)) missing(name);
    const InSession in(*session_);
    const Raw<member> call(crumb(kept), instance_, *said_, table->*member,
                           draws_initial_values<member> ? std::optional(seed_) : std::nullopt);
    const Watched watched(*this, kept);
    call_held(call, args...);
    watched.check();
  }

 private:
  // The process's state around a call that is looked at closely, and whether references grow from call to call.
  class Watched {
   public:
    Watched(const Component& component, const char* call);
    void check() const;

   private:
    const Component& component_;
    const char* call_;
    std::unique_ptr<ProcessState> before_;
  };

  template <auto member>
  auto find_table() const -> const typename detail::MemberOf<decltype(member)>::Table* {
    using Table = typename detail::MemberOf<decltype(member)>::Table;
    static_assert(!table_id<Table>.empty(), "not the table of a kind or of a component extension");
    if constexpr (table_id<Table>.starts_with("perrin.kind."))
      return &table<Table>();
    else
      return extension<Table>();
  }

  loader::Breadcrumb crumb(const char* call) const { return {library_->crumb, crumb_id_, call}; }
  void create(const std::map<std::string, config::Value>& values);
  void check_kind(std::string_view id) const {
    if (id != kind_id_) [[unlikely]]
      wrong_kind(id);
  }
  const void* find_extension(std::string_view id) const;
  [[noreturn]] void wrong_kind(std::string_view id) const;
  [[noreturn]] void missing(const char* function) const;

  const loader::Library* library_ = nullptr;
  const perrin_component* descriptor_ = nullptr;
  void* instance_ = nullptr;
  uint64_t seed_ = 0;
  std::shared_ptr<Session> session_;
  const char* crumb_id_ = nullptr;
  std::unique_ptr<Said> said_;
  std::string kind_, kind_id_, id_;
};

}  // namespace perrin::services
