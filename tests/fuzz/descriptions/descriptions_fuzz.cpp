// What a plugin says of itself, by the first byte: the bytes of a shared library, the lines of a probe, or descriptors
// in memory. An answer or one clean Error; what is accepted is sound and survives the index's JSON. Everything else is
// a finding.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <deque>

#include "host/config/schema_problems.hpp"
#include "host/loader/compatible.hpp"
#include "host/loader/describe.hpp"
#include "host/loader/elf.hpp"
#include "host/loader/probe.cpp"  // its reading of lines is its own
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;
using fuzz::require;

void check(const config::Factory& factory) {
  const nlohmann::json written = config::to_json(factory);
  const std::string text = written.dump();
  require(config::to_json(config::factory_from_json(nlohmann::json::parse(text))) == written);
}

void library(std::string_view bytes) {
  const loader::Elf elf = loader::read_elf(std::as_bytes(std::span(bytes)), "x.so");
  require(std::ranges::is_sorted(elf.exports) && std::ranges::is_sorted(elf.imports));
  size_t names = 0;
  for (const auto* list : {&elf.needed, &elf.exports, &elf.imports})
    for (const std::string& name : *list) names += name.size() + 1;
  require(names <= bytes.size());
  loader::check_compatible(loader::read_note(elf, "x.so"), {}, "x.so");
}

void lines(std::string_view bytes) {
  const loader::Report report = loader::read_report(std::string(bytes));
  for (const config::Factory& factory : report.result.components) check(factory);
}

perrin_component component;
const perrin_component* components[] = {&component};
const perrin_factory factory = {sizeof factory, 1, components};

// Descriptors whose pointers hold and whose numbers and texts are the input's.
void descriptors(FuzzedDataProvider input) {
  std::deque<std::string> texts;
  const auto text = [&](const char* usual) -> perrin_text {
    const bool other = input.ConsumeBool();
    const std::string& own = texts.emplace_back(other ? input.ConsumeRandomLengthString(5000) : usual);
    return {own.data(), own.size()};
  };
  std::vector<perrin_key> keys(input.ConsumeIntegralInRange<size_t>(0, 4));
  const perrin_text choices[] = {text("a"), text("b")};
  for (perrin_key& key : keys) {
    key = {sizeof key,
           input.ConsumeIntegralInRange<uint32_t>(0, 8),
           input.ConsumeIntegral<uint8_t>(),
           input.ConsumeIntegralInRange<uint32_t>(0, 2),
           text("key"),
           text("1"),
           input.ConsumeFloatingPoint<double>(),
           input.ConsumeFloatingPoint<double>(),
           choices,
           text("pixels"),
           text("what it does"),
           text("1.0"),
           text("")};
    if (input.ConsumeBool()) key.min = input.ConsumeBool() ? NAN : -INFINITY;
  }
  component = {
      sizeof component, static_cast<uint32_t>(keys.size()),
      text("name"),     text("1.0"),
      text("doc"),      text("other"),
      keys.data(),      &factory,
      nullptr,          [](const perrin_host*, const perrin_config*, void**) -> perrin_status* { return nullptr; },
      [](void*) {},     nullptr};
  const perrin_entry_table entry = {
      PERRIN_MAGIC, sizeof entry, {}, nullptr, nullptr, [](perrin_text kind) {
        return std::string_view(kind.data, kind.size) == "perrin.kind.sampler/1" ? &factory : nullptr;
      }};
  for (const config::Factory& found : loader::describe({"x.so", "", {}, &entry, "x.so"})) {
    require(config::schema_problems(found).empty());
    check(found);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input = fuzz::text_of(data, size);
  try {
    if (data[0] == '\x7f')
      library(input);
    else if (data[0] == '{')
      lines(input);
    else
      descriptors(FuzzedDataProvider(data, size));
  } catch (const Error& fault) {
    require(!fault.message().empty());
  }
  return 0;
}
