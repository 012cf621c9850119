// Stateless randomness for plugins: the kernels of host/kernels/random.hpp.
#include "host/kernels/random.hpp"
#include "host/services/tables.hpp"

namespace perrin::services {
namespace {

random::Stream stream_of(perrin_stream s) { return {s.seed, s.purpose, s.step}; }

void bits(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, uint32_t* value) {
  random::bits(stream_of(stream), sample, first, {value, n});
}

template <class T>
void uniform(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, T* value) {
  random::uniform(stream_of(stream), sample, first, std::span<T>(value, n));
}

void normal(perrin_stream stream, uint64_t sample, uint64_t first, uint64_t n, float* value) {
  random::normal(stream_of(stream), sample, first, {value, n});
}

}  // namespace

const perrin_host_rng rng_table = {sizeof(perrin_host_rng), 0, bits, uniform<float>, uniform<double>, normal};

}  // namespace perrin::services
