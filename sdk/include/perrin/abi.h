/* The entry point of a Perrin plugin: versions, status, configuration schema, component table.
 *
 * A plugin is a shared library that exports one data symbol, `perrin_entry`, and carries one ELF note,
 * `.note.perrin.abi`, which the host reads before anything of the plugin is executed.
 *
 * Rules of every Perrin header
 *  - Each struct starts with `struct_size`; a field exists if and only if its end lies within struct_size. Tables only
 *    grow at their end. A change of meaning is a new id with a higher revision ("perrin.x/2").
 *  - Text is UTF-8, pointer and length, not terminated. No bool, enum, long or bit field in a struct.
 *  - NULL status means success. On failure every output is left untouched.
 *  - Inputs are borrowed until the call returns. Outputs that are handles are new references which the caller releases.
 *  - Each function is tagged with the threads that may call it:
 *      [load]             the loading thread only, never at the same time as another call into this library
 *      [instance-serial]  any thread, but one call at a time for one instance
 *      [any]              any thread at any time, also concurrently on one instance
 *  - No exception, longjmp or exit crosses the boundary.
 */
#ifndef PERRIN_ABI_H
#define PERRIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#define PERRIN_ABI_MAJOR 1u
#define PERRIN_ABI_MINOR 0u
#define PERRIN_SDK_VERSION "0.1.0"

/* The oldest host minor that the plugin must load on. Declarations newer than it are hidden. */
#ifndef PERRIN_TARGET_MINOR
#define PERRIN_TARGET_MINOR PERRIN_ABI_MINOR
#endif

#ifdef __cplusplus
#define PERRIN_STATIC_ASSERT(condition, text) static_assert(condition, text)
extern "C" {
#else
#define PERRIN_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* UTF-8 text. Owner: whoever the function says; static text lives as long as the library. */
typedef struct perrin_text {
  const char* data;
  uint64_t size; /* bytes */
} perrin_text;
#define PERRIN_TEXT(literal) {(literal), sizeof(literal) - 1}

/* Does `field` exist in the struct that `pointer` points to? */
#define PERRIN_HAS(pointer, type, field) \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof(((type*)0)->field))

/* ---- Status ------------------------------------------------------------------------------------------------------ */

typedef struct perrin_status perrin_status; /* opaque, made by perrin_host::status_new, owned by who receives it */

#define PERRIN_ERROR 1u           /* anything else */
#define PERRIN_CANCELLED 2u       /* the user asked to stop */
#define PERRIN_OUT_OF_MEMORY 3u
#define PERRIN_UNSUPPORTED 4u     /* valid, but not something this component does */
#define PERRIN_INVALID_CONFIG 5u  /* a key or a combination of keys */
#define PERRIN_INVALID_DATA 6u    /* a file or a tensor that is not what it should be */
#define PERRIN_IO 7u

/* ---- Host -------------------------------------------------------------------------------------------------------- */

typedef struct perrin_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  /* [any] The table named `id`, "perrin.<service>/<revision>" as in host/<service>.h, or NULL if this host has none.
   * Lives as long as the process. */
  const void* (*get_extension)(const struct perrin_host* host, perrin_text id);
  /* [any] A new status. `where` says which part of the plugin, and may be empty. Never returns NULL. */
  perrin_status* (*status_new)(uint32_t code, perrin_text message, perrin_text where);
  /* [any] Frees a status that a host service gave and that is not passed on. NULL is allowed. */
  void (*status_free)(perrin_status* status);
  /* [any] Code and message of a status; the text lives as long as the status. */
  uint32_t (*status_code)(const perrin_status* status);
  perrin_text (*status_message)(const perrin_status* status);
} perrin_host;

/* ---- Configuration schema ---------------------------------------------------------------------------------------- */

typedef struct perrin_config perrin_config; /* frozen, validated values; read through host/config.h */

#define PERRIN_BOOLEAN 1u
#define PERRIN_INTEGER 2u  /* int64 */
#define PERRIN_NUMBER 3u   /* double; the file may give an integer */
#define PERRIN_STRING 4u
#define PERRIN_INTEGERS 5u /* lists */
#define PERRIN_NUMBERS 6u
#define PERRIN_STRINGS 7u

#define PERRIN_KEY_REQUIRED 1u
#define PERRIN_KEY_DEPRECATED 2u
#define PERRIN_KEY_MIN 4u            /* `min` holds, inclusive; for lists it holds for each element */
#define PERRIN_KEY_MAX 8u
#define PERRIN_KEY_MIN_EXCLUSIVE 16u /* the bound itself is not allowed */
#define PERRIN_KEY_MAX_EXCLUSIVE 32u

/* One key of a component's table in the experiment file. The host checks types, ranges and choices, fills defaults. */
typedef struct perrin_key {
  uint32_t struct_size;
  uint32_t type;             /* PERRIN_BOOLEAN .. PERRIN_STRINGS */
  uint32_t flags;            /* PERRIN_KEY_* */
  uint32_t n_choices;        /* 0: any value */
  perrin_text name;
  perrin_text default_value; /* a TOML literal such as `1e-4`, `[32, 64]`, `"linear"`; empty if required */
  double min;
  double max;
  const perrin_text* choices;
  perrin_text unit;          /* "pixels", "steps"; empty if none */
  perrin_text doc;           /* one sentence, never empty */
  perrin_text since;         /* the component's version that first had it */
  perrin_text alias;         /* an older or a peer's name that is accepted as well; empty if none */
} perrin_key;

/* ---- Components -------------------------------------------------------------------------------------------------- */

typedef struct perrin_component {
  uint32_t struct_size;
  uint32_t n_keys;
  perrin_text id;      /* what `use` names: plain names are Perrin's own, others are "vendor.name" */
  perrin_text version; /* of the component */
  perrin_text doc;     /* one or two sentences, with paper where there is one */
  perrin_text aliases; /* other accepted ids, separated by spaces; empty if none */
  const perrin_key* keys;
  const void* table;   /* the kind's table, see kind/<kind>.h */
  /* [any] Checks what spans several keys. NULL: nothing to check. Code PERRIN_INVALID_CONFIG. */
  perrin_status* (*validate)(const perrin_host* host, const perrin_config* config);
  /* [any] A new instance, freed by destroy. `config` is borrowed until return. */
  perrin_status* (*create)(const perrin_host* host, const perrin_config* config, void** instance);
  /* [instance-serial] */
  void (*destroy)(void* instance);
  /* [any] An optional capability of every instance ("perrin.params/1", ...), NULL if absent. May itself be NULL. */
  const void* (*get_extension)(perrin_text id);
} perrin_component;

typedef struct perrin_factory {
  uint32_t struct_size;
  uint32_t n_components;
  const perrin_component* const* components;
} perrin_factory;

/* ---- Entry and note ---------------------------------------------------------------------------------------------- */

#define PERRIN_TIER_A 1u /* portable: this header alone, no LibTorch */
#define PERRIN_TIER_B 2u /* native: tied to one LibTorch build by the fingerprint */

/* What a tier B plugin was built with. Zero or empty fields are not compared. Tier A leaves all of it zero. */
typedef struct perrin_fingerprint {
  char torch[32];    /* TORCH_VERSION */
  char sdk[16];      /* PERRIN_SDK_VERSION */
  char compiler[32]; /* family and major version */
  uint32_t gxx_abi;  /* __GXX_ABI_VERSION */
  uint32_t cxx11_abi;
  uint32_t cplusplus;
  uint32_t cuda_major;
  uint32_t sizeof_tensor_impl;
  uint32_t sizeof_module;
} perrin_fingerprint;

/* The note's payload; its name is "Perrin", its type 1. */
typedef struct perrin_note {
  uint32_t abi_major;
  uint32_t min_minor;
  uint32_t tier;
  uint32_t reserved;
  perrin_fingerprint fingerprint;
} perrin_note;

#define PERRIN_MAGIC 0x6e697272u /* "rrin" */

typedef struct perrin_entry_table {
  uint32_t magic;
  uint32_t struct_size;
  perrin_note note; /* equal to the ELF note */
  /* [load] Once before anything else. `host` lives as long as the process. */
  perrin_status* (*init)(const perrin_host* host);
  /* [load] Undoes init; init may follow again. */
  void (*deinit)(void);
  /* [any] The components of one kind, "perrin.kind.<kind>/<revision>", or NULL. Needs no init. Static. */
  const perrin_factory* (*get_factory)(perrin_text kind);
} perrin_entry_table;

/* Puts the note into the library and defines `perrin_entry`'s note field from the same values. C and C++. */
typedef struct perrin_elf_note {
  uint32_t name_size;
  uint32_t payload_size;
  uint32_t type;
  char name[8];
  perrin_note payload;
} perrin_elf_note;

#define PERRIN_EXPORT __attribute__((visibility("default")))
#define PERRIN_ELF_NOTE(...)                                                                                    \
  __attribute__((section(".note.perrin.abi"), used, aligned(4))) static const perrin_elf_note perrin_elf_note_ = \
      {7, sizeof(perrin_note), 1, "Perrin", __VA_ARGS__};
#define PERRIN_NOTE_TIER_A                                               \
  {                                                                      \
    PERRIN_ABI_MAJOR, PERRIN_TARGET_MINOR, PERRIN_TIER_A, 0, { "", "", "", 0, 0, 0, 0, 0, 0 } \
  }

PERRIN_STATIC_ASSERT(sizeof(perrin_text) == 16, "perrin_text");
PERRIN_STATIC_ASSERT(sizeof(perrin_key) == 136 && offsetof(perrin_key, alias) == 120, "perrin_key");
PERRIN_STATIC_ASSERT(sizeof(perrin_host) == 56 && offsetof(perrin_host, status_message) == 48, "perrin_host");
PERRIN_STATIC_ASSERT(sizeof(perrin_component) == 120 && offsetof(perrin_component, get_extension) == 112,
                     "perrin_component");
PERRIN_STATIC_ASSERT(sizeof(perrin_factory) == 16, "perrin_factory");
PERRIN_STATIC_ASSERT(sizeof(perrin_fingerprint) == 104, "perrin_fingerprint");
PERRIN_STATIC_ASSERT(sizeof(perrin_note) == 120, "perrin_note");
PERRIN_STATIC_ASSERT(sizeof(perrin_elf_note) == 140, "perrin_elf_note");
PERRIN_STATIC_ASSERT(sizeof(perrin_entry_table) == 152 && offsetof(perrin_entry_table, get_factory) == 144,
                     "perrin_entry_table");

/* The one exported symbol. */
extern PERRIN_EXPORT const perrin_entry_table perrin_entry;

#ifdef __cplusplus
}
#endif
#endif
