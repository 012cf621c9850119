// A plugin with one loss, the mean of squares, that asks the host for what no built-in component asks for.
#include <string.h>

#include <memory>
#include <string>

#include "perrin/host/autograd.h"
#include "perrin/host/config.h"
#include "perrin/host/image.h"
#include "perrin/host/op.h"
#include "perrin/host/tensor.h"
#include "perrin/host/weights.h"
#include "perrin/kind/loss.h"

// The first fields of dlpack.h 1.x.
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
};

namespace {

const perrin_host_tensor* tensors;
const perrin_host_autograd* autograd;
const perrin_host_config* configs;
const perrin_host_image* images;
const perrin_host_op* ops;
const perrin_host_weights* files;

perrin_text text(const char* s) { return {s, strlen(s)}; }

#define TRY(call) \
  if (perrin_status* failed = call) return failed

// One reference, released on every way out.
struct Held {
  perrin_tensor* tensor = nullptr;
  Held() = default;
  Held(const Held&) = delete;
  ~Held() { tensors->release(tensor); }
};

perrin_argument argument(perrin_tensor* t) { return {{"", 0}, PERRIN_VALUE_TENSOR, 1, {.tensor = t}}; }

perrin_status* call(const char* name, const char* overload, uint32_t n, const perrin_argument* arguments, Held& out) {
  const perrin_op* op = nullptr;
  TRY(ops->find(text(name), text(overload), &op));
  return ops->call(op, n, arguments, 1, &out.tensor);
}

perrin_status* ask_memory(Held& made) {
  const int64_t sizes[] = {2};
  TRY(tensors->create(PERRIN_FLOAT32, 1, sizes, &made.tensor));
  DLManagedTensorVersioned* managed = nullptr;
  TRY(tensors->to_dlpack(made.tensor, &managed));
  Held again;
  if (perrin_status* failed = tensors->from_dlpack(managed, &again.tensor)) {  // what is refused stays the caller's
    managed->deleter(managed);
    return failed;
  }
  return nullptr;
}

perrin_status* no_gradient(void*, uint32_t, perrin_tensor* const*, uint32_t, perrin_tensor**) { return nullptr; }
void nothing(void*) {}

perrin_status* ask_gradients(perrin_tensor* prediction, perrin_tensor* made) {
  Held square, sum, gradient, marked;
  const perrin_argument of[] = {argument(prediction)};
  TRY(call("aten::square", "", 1, of, square));
  const perrin_argument squared[] = {argument(square.tensor)};
  TRY(call("aten::sum", "", 1, squared, sum));
  TRY(autograd->grad(1, &sum.tensor, nullptr, 1, &prediction, 0, &gradient.tensor));
  const perrin_backward backward = {sizeof backward, 0, nullptr, no_gradient, nothing};
  return autograd->custom_grad(1, &prediction, 1, &made, &backward, &marked.tensor);
}

// A grey PNG of one pixel.
constexpr unsigned char kPixel[] = {0x89, 'P',  'N',  'G',  0x0d, 0x0a, 0x1a, 0x0a, 0,    0,    0,    0x0d, 'I',  'H',
                                    'D',  'R',  0,    0,    0,    1,    0,    0,    0,    1,    8,    0,    0,    0,
                                    0,    0x3a, 0x7e, 0x9b, 0x55, 0,    0,    0,    0x0a, 'I',  'D',  'A',  'T',  0x08,
                                    0xd7, 0x63, 0x68, 0,    0,    0,    0x82, 0,    0x81, 0x4a, 0xbe, 0xa4, 0x70, 0,
                                    0,    0,    0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};

perrin_status* ask_files(const std::string& name) {
  perrin_image_info info = {};
  info.struct_size = sizeof info;
  TRY(images->info(kPixel, sizeof kPixel, text("pixel"), &info));
  perrin_weights* opened = nullptr;
  TRY(files->open({name.data(), name.size()}, &opened));
  const std::unique_ptr<perrin_weights, void (*)(perrin_weights*)> closed(opened, files->close);
  perrin_text value = {};
  return files->metadata(opened, text("perrin.extractor"), &value);
}

perrin_status* compute(void* instance, const perrin_call*, uint32_t, const perrin_named_tensor* inputs,
                       perrin_tensor** values) {
  Held made, difference, square, flat, mean;
  TRY(ask_memory(made));
  TRY(ask_gradients(inputs[0].tensor, made.tensor));
  TRY(ask_files(*static_cast<std::string*>(instance)));
  const int64_t last[] = {1};
  perrin_argument along = {{"", 0}, PERRIN_VALUE_INTEGERS, 1, {}}, first = {{"", 0}, PERRIN_VALUE_INTEGER, 1, {}};
  along.value.integers = last;
  first.value.integer = 1;
  const perrin_argument both[] = {argument(inputs[0].tensor), argument(inputs[1].tensor)};
  TRY(call("aten::sub", "Tensor", 2, both, difference));
  const perrin_argument of_square[] = {argument(difference.tensor)};
  TRY(call("aten::square", "", 1, of_square, square));
  const perrin_argument of_flat[] = {argument(square.tensor), first};
  TRY(call("aten::flatten", "using_ints", 2, of_flat, flat));
  const perrin_argument of_mean[] = {argument(flat.tensor), along};
  TRY(call("aten::mean", "dim", 2, of_mean, mean));
  *values = mean.tensor;
  mean.tensor = nullptr;
  return nullptr;
}
const perrin_loss loss_table = {sizeof(perrin_loss), 0, compute, nullptr};

perrin_status* create(const perrin_host*, const perrin_config* config, void** out) {
  perrin_text file;
  TRY(configs->get_string(config, text("file"), &file));
  *out = new std::string(file.data, file.size);
  return nullptr;
}
void destroy(void* instance) { delete static_cast<std::string*>(instance); }

const perrin_key kKeys[] = {{sizeof(perrin_key), PERRIN_STRING, 0, 0, text("file"), text("\"\""), 0, 0, nullptr,
                             text(""), text("a safetensors file that is opened and closed"), text("1.0"), text("")}};
const perrin_component kLoss = {sizeof(perrin_component),
                                1,
                                text("test.asker"),
                                text("1.0"),
                                text("Asks for everything."),
                                text(""),
                                kKeys,
                                &loss_table,
                                nullptr,
                                create,
                                destroy,
                                nullptr};
const perrin_component* const kLosses = &kLoss;
const perrin_factory kFactory = {sizeof(perrin_factory), 1, &kLosses};

template <class Table>
void get(const perrin_host* host, const char* id, const Table*& table) {
  table = static_cast<const Table*>(host->get_extension(host, text(id)));
}

perrin_status* init(const perrin_host* host) {
  get(host, PERRIN_HOST_TENSOR, tensors);
  get(host, PERRIN_HOST_AUTOGRAD, autograd);
  get(host, PERRIN_HOST_CONFIG, configs);
  get(host, PERRIN_HOST_IMAGE, images);
  get(host, PERRIN_HOST_OP, ops);
  get(host, PERRIN_HOST_WEIGHTS, files);
  return nullptr;
}
const perrin_factory* get_factory(perrin_text kind) {
  const bool loss = kind.size == strlen(PERRIN_KIND_LOSS) && memcmp(kind.data, PERRIN_KIND_LOSS, kind.size) == 0;
  return loss ? &kFactory : nullptr;
}

}  // namespace

PERRIN_ELF_NOTE(PERRIN_NOTE_TIER_A)
extern "C" PERRIN_EXPORT const perrin_entry_table perrin_entry = {
    PERRIN_MAGIC, sizeof(perrin_entry_table), PERRIN_NOTE_TIER_A, init, nullptr, get_factory};
