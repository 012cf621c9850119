#include "quantizer.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>

namespace first_stage {

using perrin::Key;

namespace {

constexpr int64_t kDistances = int64_t{1} << 24;  // held at a time

// [B, width, ...] -> [N, width].
at::Tensor vectors_of(const at::Tensor& z) { return z.movedim(1, -1).flatten(0, -2); }

// Back.
at::Tensor like(const at::Tensor& vectors, const at::Tensor& z) {
  return vectors.view(z.movedim(1, -1).sizes()).movedim(-1, 1);
}

at::Tensor per_sample_mean(const at::Tensor& x) { return x.flatten(1).mean(1); }

}  // namespace

std::vector<Key> Quantizer::keys() {
  return {
      Key::integer("codes", "512", "vectors in the codebook").min(2).alias("num_vq_embeddings"),
      Key::string("update", "'gradient'",
                  "what moves the codes: the gradient of their distance to the vectors that chose them, or ema, the "
                  "running mean of these vectors (1711.00937, appendix A.1)")
          .choices({"gradient", "ema"}),
      Key::number("decay", "0.99", "of the running means and counts, per batch").min(0).below(1),
      Key::number("commitment", "0.25", "beta, weight of the vectors' pull to their codes (1711.00937, equation 3)")
          .min(0)
          .alias("beta"),
      Key::number("restart", "0.01",
                  "a code whose running use falls below this fraction of its even share is replaced by one of the "
                  "batch's vectors (2005.00341, section 3.1), in the first batch all of them; 0: never")
          .min(0)
          .below(1)};
}

Quantizer::Settings Quantizer::settings(const perrin::Config& config) {
  return {config.integer("codes"), config.string("update") == "ema", config.number("decay"),
          config.number("commitment"), config.number("restart")};
}

Quantizer::Quantizer(const Settings& settings, int64_t width)
    : s_(settings),
      width_(width),
      rng_(perrin::service<perrin_host_rng>(PERRIN_HOST_RNG)),
      perplexity_(std::nan("")),
      usage_(std::nan("")),
      replaced_(std::nan("")) {}

void Quantizer::declare_codebook(perrin::Parameters& p) {
  perrin::Parameters::Options options;
  options.no_decay = true;
  options.role = s_.averaged ? PERRIN_BUFFER : PERRIN_PARAMETER;
  const auto bound = perrin::Init::uniform(1 / static_cast<double>(s_.codes));  // taming-transformers' VectorQuantizer2
  codebook_ = &p.add("quantize.embedding.weight", {s_.codes, width_}, bound, options);
}

void Quantizer::declare_counts(perrin::Parameters& p, bool drawn) {
  perrin::Parameters::Options buffer;
  buffer.role = PERRIN_BUFFER;
  // A drawn codebook lies where no vector does: all its codes count as dead.
  use_ = &p.add("quantize.use", {s_.codes}, perrin::Init::constant(drawn && s_.restart > 0 ? 0 : 1), buffer);
  // A plugin writes to no parameter. Nor would it help: the run's averaged weights would trail a jump for long.
  if (!s_.averaged && s_.restart > 0)
    moved_ = &p.add("quantize.moved", {s_.codes, width_}, perrin::Init::zeros(), buffer);
}

at::Tensor Quantizer::codes() const { return moved_ ? *codebook_ + *moved_ : *codebook_; }

// argmin |v - e|^2 = argmin |e|^2 - 2 v e, by one product, in the vectors' own precision.
at::Tensor Quantizer::nearest(const at::Tensor& vectors, const at::Tensor& codes) const {
  const at::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const at::Tensor squares = codes.square().sum(1), transposed = codes.t();
  std::vector<at::Tensor> numbers;
  for (const at::Tensor& some : vectors.split(std::max<int64_t>(kDistances / s_.codes, 1)))
    numbers.push_back(at::addmm(squares, some, transposed, 1, -2).argmin(1));
  return at::cat(numbers);
}

at::Tensor Quantizer::operator()(const at::Tensor& z) const {
  const at::NoGradGuard no_grad;
  const at::Tensor all = codes(), vectors = vectors_of(z.to(c10::promoteTypes(z.scalar_type(), at::kFloat)));
  return like(at::embedding(all, nearest(vectors, all)), z);
}

Quantizer::Trained Quantizer::train(const perrin_call& call, const at::Tensor& any) {
  const at::Tensor z = any.to(c10::promoteTypes(any.scalar_type(), at::kFloat)), vectors = vectors_of(z);
  if (call.training) replace_dead(call, vectors.detach());
  const at::Tensor all = codes(), numbers = nearest(vectors, all);
  const at::Tensor z_q = like(at::embedding(all, numbers), z);
  Trained trained;
  trained.z = z + (z_q - z).detach();
  trained.commitment = per_sample_mean((z - z_q.detach()).square()) * s_.commitment;
  trained.codebook = s_.averaged ? at::zeros({z.size(0)}, z.options()) : per_sample_mean((z_q - z.detach()).square());
  if (call.training) count(vectors.detach(), numbers);
  return trained;
}

// Each dead code becomes a vector of the batch, no two the same. Which one is a function of the run's seed, the step,
// and the samples.
void Quantizer::replace_dead(const perrin_call& call, const at::Tensor& vectors) {
  const at::NoGradGuard no_grad;
  replaced_ = 0;
  if (s_.restart == 0) return;
  const at::Tensor dead = use_->lt(s_.restart).nonzero().flatten();
  const int64_t n = std::min(dead.size(0), vectors.size(0));
  if (n == 0) return;
  const at::Tensor order = at::empty({vectors.size(0)}, at::kInt);
  const auto each = static_cast<uint64_t>(vectors.size(0)) / call.n;
  for (uint32_t b = 0; b < call.n; ++b)
    rng_->bits({call.seed, PERRIN_PURPOSE_ENCODER, call.step}, call.samples[b], 0, each,
               reinterpret_cast<uint32_t*>(order.mutable_data_ptr<int32_t>()) + b * each);
  const at::Tensor chosen = order.argsort(true, 0, false).narrow(0, 0, n).to(vectors.device());
  const at::Tensor rows = dead.narrow(0, 0, n), values = vectors.index_select(0, chosen).to(codebook_->scalar_type());
  if (s_.averaged)
    codebook_->index_copy_(0, rows, values);
  else
    moved_->index_copy_(0, rows, values - codebook_->index_select(0, rows));
  use_->index_fill_(0, rows, 1);
  replaced_ = static_cast<double>(n);
}

// Running use, and with update = "ema" the codes' running means: 1711.00937 Eq. 6 - 8, m_i = N_i e_i put in,
//   N_i <- decay N_i + (1 - decay) n_i,  e_i <- e_i + (1 - decay) (sum of its n_i vectors - n_i e_i) / N_i.
void Quantizer::count(const at::Tensor& vectors, const at::Tensor& numbers) {
  const at::NoGradGuard no_grad;
  const at::Tensor counts = at::bincount(numbers, {}, s_.codes).to(use_->scalar_type());  // [n]
  const double even = static_cast<double>(s_.codes) / static_cast<double>(numbers.size(0));
  use_->mul_(s_.decay).add_(counts, (1 - s_.decay) * even);
  if (s_.averaged) {
    const at::Tensor sums = at::zeros_like(*codebook_).index_add_(0, numbers, vectors.to(codebook_->scalar_type()));
    const at::Tensor pull = (sums - *codebook_ * counts.unsqueeze(1)) * even;
    codebook_->add_(pull / use_->clamp_min(1e-12).unsqueeze(1), 1 - s_.decay);
  }
  const at::Tensor p = counts.to(at::kDouble) / static_cast<double>(numbers.size(0));
  perplexity_ = std::exp(-(p * p.clamp_min(1e-300).log()).sum().item<double>());
  usage_ = counts.gt(0).to(at::kDouble).mean().item<double>();
}

}  // namespace first_stage
