// A plugin with one schedule that breaks the rules where and how the build says: -DIN_CREATE=segfault, -DNOTE_MAJOR=2,
// ...
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdexcept>

#include "perrin/host/op.h"
#include "perrin/kind/schedule.h"

#ifndef NAME
#error "NAME is the fixture's name"
#endif
#define COMPONENT "bomb-" NAME
#ifndef COMPONENT_ID
#define COMPONENT_ID COMPONENT
#endif

namespace {

const perrin_host* host;

[[maybe_unused]] void segfault() { raise(SIGSEGV); }
[[maybe_unused]] void bad_pointer() { *reinterpret_cast<volatile int*>(8) = 1; }
[[maybe_unused]] void hang() {
  for (;;) pause();
}
[[maybe_unused]] void leave() { exit(0); }
[[maybe_unused]] void leave_at_once() { _exit(0); }
[[maybe_unused]] void give_up() { abort(); }
[[maybe_unused]] void throw_it() { throw std::runtime_error("on purpose"); }
[[maybe_unused]] void throw_number() { throw 7; }
[[maybe_unused]] void print() { printf("hello from a plugin\n"); }
[[maybe_unused]] void change_rounding() { fesetround(FE_UPWARD); }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"  // which it is
[[maybe_unused]] int overflow(int depth) {
  volatile char page[4096];
  page[0] = static_cast<char>(depth);
  return overflow(depth + 1) + page[0];
}
#pragma GCC diagnostic pop
[[maybe_unused]] void overflow_stack() { overflow(0); }
[[maybe_unused]] void draw_global_numbers() {
  const auto* op = static_cast<const perrin_host_op*>(host->get_extension(host, PERRIN_TEXT(PERRIN_HOST_OP)));
  const perrin_op* rand = nullptr;
  const int64_t sizes[] = {3};
  perrin_argument argument = {{"", 0}, PERRIN_VALUE_INTEGERS, 1, {}};
  argument.value.integers = sizes;
  perrin_tensor* result = nullptr;
  host->status_free(op->find(PERRIN_TEXT("aten::rand"), PERRIN_TEXT(""), &rand));
  if (rand != nullptr) host->status_free(op->call(rand, 1, &argument, 1, &result));
  if (result == nullptr) return;
  static_cast<const perrin_host_tensor*>(host->get_extension(host, PERRIN_TEXT(PERRIN_HOST_TENSOR)))->release(result);
}
// Stops the run that uses it, and not the probe that looks at it.
[[maybe_unused]] void interrupt_the_run() {
  char program[4096] = {};
  if (readlink("/proc/self/exe", program, sizeof program - 1) > 0 && strstr(program, "perrin-engine") != nullptr)
    raise(SIGINT);
}
[[maybe_unused]] void nothing() {}

#ifdef IN_CONSTRUCTOR
[[gnu::constructor]] void construct() { IN_CONSTRUCTOR(); }
#endif
#ifdef IN_DESTRUCTOR
[[gnu::destructor]] void destruct() { IN_DESTRUCTOR(); }
#endif

perrin_status* domain(void*, perrin_time_domain* out) {
  *out = {0, 999, 1000};
  return nullptr;
}

perrin_status* marginal(void*, uint64_t n, const double* t, double* alpha, double* sigma) {
  for (uint64_t i = 0; i < n; ++i) alpha[i] = 0.6, sigma[i] = (t[i] + 1) / 1000;
#ifdef IN_CALL
  IN_CALL();
#endif
#ifdef IN_LATER_CALL  // not in the probe, which asks for two levels at once
  if (n == 1) IN_LATER_CALL();
#endif
  return nullptr;
}

perrin_status* create(const perrin_host*, const perrin_config*, void** instance) {
#ifdef IN_CREATE
  IN_CREATE();
#endif
  static int one;
  *instance = &one;
  return nullptr;
}

void destroy(void*) {
#ifdef IN_DESTROY
  IN_DESTROY();
#endif
}

#ifndef KEY_DEFAULT
#define KEY_DEFAULT "0.5"
#endif
#ifndef KEY_NAME
#define KEY_NAME "level"
#endif
#ifndef KEY_TYPE
#define KEY_TYPE PERRIN_NUMBER
#endif
#ifndef KEY_MIN
#define KEY_MIN 0
#endif
#ifndef DOC
#define DOC "Breaks a rule: " NAME "."
#endif
#ifndef KEY_DOC
#define KEY_DOC "a number between 0 and 1"
#endif
#ifndef COMPONENT_SIZE
#define COMPONENT_SIZE sizeof(perrin_component)
#endif

constexpr perrin_schedule table = {sizeof(perrin_schedule), 0, domain, marginal, nullptr};
constexpr perrin_key keys[] = {{sizeof(perrin_key), KEY_TYPE, PERRIN_KEY_MIN | PERRIN_KEY_MAX, 0, PERRIN_TEXT(KEY_NAME),
                                PERRIN_TEXT(KEY_DEFAULT), KEY_MIN, 1, nullptr, PERRIN_TEXT(""), PERRIN_TEXT(KEY_DOC),
                                PERRIN_TEXT("1.0"), PERRIN_TEXT("")}};
constexpr perrin_component component = {COMPONENT_SIZE,
                                        1,
                                        PERRIN_TEXT(COMPONENT_ID),
                                        PERRIN_TEXT("1.0"),
                                        PERRIN_TEXT(DOC),
                                        PERRIN_TEXT(""),
                                        keys,
                                        &table,
                                        nullptr,
                                        create,
                                        destroy,
                                        nullptr};
constexpr const perrin_component* components[] = {&component};
constexpr perrin_factory factory = {sizeof(perrin_factory), 1, components};

[[maybe_unused]] perrin_status* init(const perrin_host* given) {
  host = given;
#ifdef IN_INIT
  IN_INIT();
#endif
#ifdef INIT_FAILS
  return host->status_new(PERRIN_ERROR, PERRIN_TEXT("no licence for this machine"), PERRIN_TEXT("init"));
#else
  return nullptr;
#endif
}

[[maybe_unused]] const perrin_factory* get_factory(perrin_text kind) {
  static constexpr char schedule[] = PERRIN_KIND_SCHEDULE;
  if (kind.size != sizeof schedule - 1) return nullptr;
  for (uint64_t i = 0; i < kind.size; ++i)
    if (kind.data[i] != schedule[i]) return nullptr;
  return &factory;
}

}  // namespace

#ifndef NOTE_MAJOR
#define NOTE_MAJOR PERRIN_ABI_MAJOR
#endif
#ifndef NOTE_MINOR
#define NOTE_MINOR 0
#endif
#ifndef NOTE_TIER
#define NOTE_TIER PERRIN_TIER_A
#endif
#ifndef NOTE_TORCH
#define NOTE_TORCH ""
#endif
#define NOTE                                                                       \
  {                                                                                \
    NOTE_MAJOR, NOTE_MINOR, NOTE_TIER, 0, { NOTE_TORCH, "", "", 0, 0, 0, 0, 0, 0 } \
  }
#ifndef ENTRY_NOTE
#define ENTRY_NOTE NOTE
#endif
#ifndef MAGIC
#define MAGIC PERRIN_MAGIC
#endif
#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(perrin_entry_table)
#endif

#ifndef NO_NOTE
PERRIN_ELF_NOTE(NOTE)
#endif
#ifndef NO_ENTRY
extern "C" PERRIN_EXPORT const perrin_entry_table perrin_entry = {MAGIC, ENTRY_SIZE, ENTRY_NOTE,
                                                                  init,  nullptr,    get_factory};
#endif
