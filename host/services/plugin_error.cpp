#include "host/services/plugin_error.hpp"

namespace perrin::services {
namespace {

Exit exit_of(uint32_t code) {
  switch (code) {
    case PERRIN_CANCELLED:
      return Exit::interrupted;
    case PERRIN_INVALID_CONFIG:
      return Exit::usage;
    default:
      return Exit::failed;
  }
}

std::string file_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

}  // namespace

PluginError::PluginError(uint32_t code, std::string what, std::string where, std::string fix)
    : Error(std::move(what), std::move(where), std::move(fix), exit_of(code)), code(code) {}

std::string describe(const loader::Breadcrumb& call) {
  if (call.library == nullptr) return {};
  std::string text = "plugin ";
  if (call.component != nullptr) text = "\"" + std::string(call.component) + "\" (";
  text += file_name(call.library);
  if (call.component != nullptr) text += ")";
  if (call.call != nullptr) text.append(", in ").append(call.call);
  return text;
}

}  // namespace perrin::services
