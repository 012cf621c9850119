#include "host/model/parameters.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <perrin/host/params.h>
#include <perrin/host/rng.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "host/base/error.hpp"
#include "host/base/name_hash.hpp"
#include "host/kernels/adamw.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/random.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::model {
namespace {

constexpr int64_t kAlignment = 16;  // elements; each tensor starts on its own cache line

int64_t aligned(int64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

// Plugins built before the flag was there have shorter structs.
bool asks_to_normalise(const perrin_param& p) {
  return p.struct_size >= offsetof(perrin_param, normalise) + sizeof p.normalise && p.normalise != 0;
}

struct Declared {
  Parameter parameter;
  uint32_t init = 0;
  double a = 0;
  at::Tensor given;
  at::ScalarType dtype = at::kFloat;
};

struct Collector {
  const ParameterGroup* group;
  std::vector<Declared> list;
  std::map<std::string, size_t> index;
};

void collect(Collector& collector, const perrin_param* p) {
  const std::string name = services::checked(p->name, "a parameter's name");
  const auto fail = [&](const std::string& why) {
    throw services::Fault(PERRIN_ERROR, "parameter \"" + name + "\" " + why);
  };
  if (name.empty() || collector.index.count(name)) fail("is declared twice or has no name");
  if (p->rank > PERRIN_MAX_RANK) fail("has more than 8 dimensions");
  Declared declared;
  declared.parameter.name = collector.group->kind + "." + name;
  declared.parameter.sizes.assign(p->sizes, p->sizes + p->rank);
  declared.parameter.role = p->role;
  declared.parameter.decay = p->no_decay == 0;
  declared.parameter.count = 1;
  for (int64_t size : declared.parameter.sizes) {
    if (size < 1) fail("has a dimension below 1");
    declared.parameter.count *= size;
  }
  if (p->tie_to.size > 0) {
    const auto tied = collector.index.find(std::string(p->tie_to.data, p->tie_to.size));
    if (tied == collector.index.end()) fail("is tied to a parameter that was not declared before it");
    declared.parameter.tied_to = static_cast<int64_t>(tied->second);
  }
  declared.parameter.normalise = asks_to_normalise(*p);
  if (declared.parameter.normalise && (p->role != PERRIN_PARAMETER || p->rank < 2 || declared.parameter.tied_to >= 0))
    fail("cannot be normalised: that is for trained parameters of two dimensions or more that are not tied");
  declared.init = p->init;
  declared.a = p->init_a;
  declared.dtype = static_cast<at::ScalarType>(p->dtype);
  if (p->given) declared.given = services::unwrap(p->given).detach().clone();
  if (p->init == PERRIN_INIT_GIVEN && !declared.given.defined()) fail("has no initial values");
  collector.index.emplace(name, collector.list.size());
  collector.list.push_back(std::move(declared));
}

// No exception through the plugin's frames.
perrin_status* on_declare(void* context, const perrin_param* p) {
  return services::as_status([&] { collect(*static_cast<Collector*>(context), p); });
}

// Random initial values are drawn as float32 whatever the dtype, so that float64 checks see the same network.
void initialise(const Declared& declared, uint64_t seed, at::Tensor target) {
  if (declared.init == PERRIN_INIT_GIVEN) {
    target.copy_(declared.given);
  } else if (declared.init == PERRIN_INIT_CONSTANT) {
    target.fill_(declared.a);
  } else {
    at::Tensor draws = at::empty(target.sizes(), at::kFloat);
    const std::span<float> out(draws.data_ptr<float>(), static_cast<size_t>(draws.numel()));
    const random::Stream stream{seed, PERRIN_PURPOSE_INIT, 0};
    const uint64_t sample = name_hash(declared.parameter.name);
    if (declared.init == PERRIN_INIT_NORMAL) {
      random::normal(stream, sample, 0, out);
    } else {
      random::uniform(stream, sample, 0, out);
      draws.mul_(2).sub_(1);
    }
    target.copy_(draws.mul_(declared.a));
  }
}

// Forced weight normalisation (2312.02696, equation 66, without its eps): each row of w, [rows, ...] contiguous, to the
// norm sqrt(n), n its elements. Norms are summed in double, each row by itself, so the bits depend on w alone.
void normalise_rows(const at::Tensor& w) {
  const int64_t rows = w.size(0), n = w.numel() / rows;
  const double root = std::sqrt(static_cast<double>(n));
  if (!w.device().is_cpu() || w.scalar_type() != at::kFloat) {
    const at::Tensor matrix = w.view({rows, n}), norm = at::linalg_vector_norm(matrix, 2, {1}, true, at::kDouble);
    matrix.mul_(at::where(norm > 0, norm.reciprocal().mul(root), 1.0));
    return;
  }
  float* const data = w.mutable_data_ptr<float>();
  kernels::torch_threads()(rows, 1 + 16384 / n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const std::span<float> row(data + r * n, static_cast<size_t>(n));
      const double norm = kernels::norm2(row);
      if (norm == 0) continue;
      const double scale = root / norm;
      for (float& x : row) x = static_cast<float>(x * scale);
    }
  });
}

}  // namespace

int64_t ParameterGroup::count() const {
  int64_t total = 0;
  for (const Parameter& p : parameters)
    if (p.role == PERRIN_PARAMETER && p.tied_to < 0) total += p.count;
  return total;
}

void ParameterSet::build(const NamedComponents& components, uint64_t seed, const at::TensorOptions& options) {
  std::vector<Collector> collectors;
  groups_.reserve(components.size());
  for (const auto& [kind, component] : components) {
    if (!component->extension<perrin_params>()) continue;
    groups_.push_back({kind, component, {}, {}});
    Collector& collector = collectors.emplace_back();
    collector.group = &groups_.back();
    const perrin_param_sink sink{sizeof sink, 0, &collector, on_declare};
    component->invoke<&perrin_params::declare>(&sink);
  }

  int64_t total = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const bool decay : {true, false}) {
      const int64_t begin = total;
      for (Declared& d : collectors[g].list) {
        if (d.parameter.role != PERRIN_PARAMETER || d.parameter.tied_to >= 0 || d.parameter.decay != decay) continue;
        d.parameter.offset = total;
        total += aligned(d.parameter.count);
      }
      if (total > begin) groups_[g].ranges.push_back({begin, total, decay});
    }
  }
  values_ = at::zeros({total}, options);

  for (size_t g = 0; g < groups_.size(); ++g) {
    for (Declared& d : collectors[g].list) {
      if (d.parameter.offset >= 0) {
        const at::Tensor target = values_.narrow(0, d.parameter.offset, d.parameter.count).view(d.parameter.sizes);
        initialise(d, seed, target);
        if (d.parameter.normalise) normalise_rows(target);
      } else if (d.parameter.tied_to < 0) {
        const bool real = at::isFloatingType(d.dtype);
        d.parameter.tensor = at::empty(d.parameter.sizes, real ? options : options.dtype(d.dtype));
        initialise(d, seed, d.parameter.tensor);
      }
      groups_[g].parameters.push_back(std::move(d.parameter));
    }
  }
  bind_values();
}

// Leaves are new tensors over the flat buffers, so that autograd accumulates straight into the flat gradients.
void ParameterSet::bind_values() {
  for (ParameterGroup& group : groups_) {
    const bool moves = trained(group);
    for (Parameter& p : group.parameters) {
      if (p.offset < 0) continue;
      p.tensor = values_.narrow(0, p.offset, p.count).view(p.sizes).detach();
      if (!moves) continue;
      p.tensor.set_requires_grad(true);
      p.tensor.mutable_grad() = gradients_.narrow(0, p.offset, p.count).view(p.sizes);
    }
    bind_group(group);
  }
}

void ParameterSet::bind_to(const at::Tensor& flat) {
  for (ParameterGroup& group : groups_) {
    for (Parameter& p : group.parameters)
      if (p.offset >= 0) p.tensor = flat.narrow(0, p.offset, p.count).view(p.sizes).detach();
    bind_group(group);
  }
}

void ParameterSet::bind_group(ParameterGroup& group) {
  if (!group.component) return;
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_tensor*> tensors;
  for (Parameter& p : group.parameters) {
    if (p.tied_to >= 0) p.tensor = group.parameters[static_cast<size_t>(p.tied_to)].tensor;
    tensors.push_back(handles.emplace_back(services::wrap(p.tensor)).get());
  }
  group.component->invoke<&perrin_params::bind>(static_cast<uint32_t>(tensors.size()), tensors.data());
}

void ParameterSet::train_only(const std::vector<std::string>& kinds) {
  if (gradients_.defined())
    gradients_.zero_();
  else
    gradients_ = at::zeros_like(values_);
  select(kinds);
}

void ParameterSet::select(const std::vector<std::string>& kinds) {
  trained_ = kinds;
  bind_values();
}

ParameterGroup& ParameterSet::group_of_host(const std::string& kind) {
  for (ParameterGroup& group : groups_)
    if (group.kind == kind) return group;
  return groups_.emplace_back(ParameterGroup{kind, nullptr, {}, {}});
}

at::Tensor ParameterSet::add_buffer(const std::string& kind, const std::string& name, const at::Tensor& value) {
  Parameter p;
  p.name = kind + "." + name;
  p.sizes = value.sizes().vec();
  p.role = PERRIN_BUFFER;
  p.count = value.numel();
  p.tensor = value.to(at::kCPU, at::kDouble).clone();
  return group_of_host(kind).parameters.emplace_back(std::move(p)).tensor;
}

void ParameterSet::zero_gradients() { gradients_.zero_(); }

bool ParameterSet::trained(const ParameterGroup& group) const {
  return std::find(trained_.begin(), trained_.end(), group.kind) != trained_.end();
}

void ParameterSet::normalise() const {
  for (const ParameterGroup& group : groups_)
    for (const Parameter& p : group.parameters)
      if (p.normalise && trained(group)) normalise_rows(values_.narrow(0, p.offset, p.count).view(p.sizes));
}

bool ParameterSet::normalises() const {
  for (const ParameterGroup& group : groups_)
    for (const Parameter& p : group.parameters)
      if (p.normalise && trained(group)) return true;
  return false;
}

std::vector<Range> ParameterSet::trained_ranges() const {
  std::vector<Range> result;
  for (const ParameterGroup& group : groups_)
    if (trained(group)) result.insert(result.end(), group.ranges.begin(), group.ranges.end());
  return result;
}

const ParameterGroup* ParameterSet::group(const std::string& kind) const {
  for (const ParameterGroup& group : groups_)
    if (group.kind == kind) return &group;
  return nullptr;
}

}  // namespace perrin::model
