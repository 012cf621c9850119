// Gradient checkpointing (1604.06174) for tier B: a part of a network that forgets what it computed, and computes it
// again when its gradient is wanted.
//
//   at::Tensor Block::operator()(const at::Tensor& x, const at::Tensor& time) const {
//     const auto body = [this](const std::vector<at::Tensor>& in) { return conv_(norm_(in[0])).add(time_(in[1])); };
//     return x.add(perrin::checkpoint(body, {x, time}));
//   }
//
// The part is given as a function of tensors. It
//  - differentiates through its inputs and through parameters, and through nothing else: a tensor with a graph that it
//    captures is refused;
//  - is called again after the call that made it returned: it holds what it needs by value, or in the component itself;
//    `perrin_call` is gone by then (keep a Draws), a random number is the same if it comes from perrin.rng/1;
//  - gives the same values each time: same inputs, same result.
// It runs again in the autocast state of its first run.
//
// Gradients are those without checkpointing, and the same bits but for two sums of floats that meet in another order:
//  - an input that the part uses several times and that others use as well has its uses in the part summed first. Leave
//    sums outside, as x.add above, and no bit changes;
//  - under autocast a leaf that several parts use is cast by each of them, where autocast would share one cast.
// Differentiable once.
#pragma once

#include <ATen/SequenceNumber.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <array>
#include <functional>
#include <mutex>
#include <unordered_set>

#include "torch.hpp"

// As <ATen/autocast_mode.h> declares them, which would cost every file that includes this one 5 s.
namespace at::autocast {
TORCH_API bool is_autocast_enabled(at::DeviceType device_type);
TORCH_API void set_autocast_enabled(at::DeviceType device_type, bool enabled);
TORCH_API at::ScalarType get_autocast_dtype(at::DeviceType device_type);
TORCH_API void set_autocast_dtype(at::DeviceType device_type, at::ScalarType dtype);
TORCH_API bool is_autocast_cache_enabled();
TORCH_API void set_autocast_cache_enabled(bool enabled);
TORCH_API void clear_cache();
TORCH_API int increment_nesting();
TORCH_API int decrement_nesting();
}  // namespace at::autocast

namespace perrin {

// A part of a network. Inputs may be undefined.
using Part = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

namespace detail {

// This thread's autocast state.
class AutocastState {
 public:
  static AutocastState now() {
    AutocastState state;
    for (size_t i = 0; i < devices.size(); ++i)
      state.modes_[i] = {at::autocast::is_autocast_enabled(devices[i]), at::autocast::get_autocast_dtype(devices[i])};
    state.cache_ = at::autocast::is_autocast_cache_enabled();
    return state;
  }
  void set() const {
    for (size_t i = 0; i < devices.size(); ++i) {
      at::autocast::set_autocast_enabled(devices[i], modes_[i].on);
      at::autocast::set_autocast_dtype(devices[i], modes_[i].dtype);
    }
    at::autocast::set_autocast_cache_enabled(cache_);
  }

 private:
  struct Mode {
    bool on;
    at::ScalarType dtype;
  };
  static constexpr std::array<at::DeviceType, 2> devices = {at::kCPU, at::kCUDA};
  std::array<Mode, devices.size()> modes_{};
  bool cache_ = true;
};

// Another autocast state for a scope.
class AutocastScope {
 public:
  explicit AutocastScope(const AutocastState& state) : before_(AutocastState::now()) {
    at::autocast::increment_nesting();
    state.set();
  }
  ~AutocastScope() {
    before_.set();
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  }
  AutocastScope(const AutocastScope&) = delete;

 private:
  AutocastState before_;
};

using Inputs = std::vector<at::Tensor>;

// Leaves of the same values: the part's own graph ends here.
inline Inputs leaves_of(const Inputs& inputs) {
  Inputs leaves;
  for (const at::Tensor& x : inputs)
    leaves.push_back(x.defined() ? x.detach().set_requires_grad(x.requires_grad()) : x);
  return leaves;
}

// LibTorch numbers a thread's nodes in the order of their creation, and gives the node that adds to a leaf's gradient
// the largest number.
inline bool is_leaf(const torch::autograd::Node& node) { return node.sequence_nr() == UINT64_MAX; }

// Edges to the leaves that y, made since node number `start`, depends on, but for those of `inputs`.
inline torch::autograd::edge_list parameters_of(const at::Tensor& y, const Inputs& inputs, uint64_t start) {
  std::unordered_set<torch::autograd::Node*> seen;
  for (const at::Tensor& x : inputs)
    if (x.defined() && x.requires_grad()) seen.insert(torch::autograd::impl::gradient_edge(x).function.get());
  torch::autograd::edge_list found, next{torch::autograd::impl::gradient_edge(y)};
  while (!next.empty()) {
    const torch::autograd::Edge edge = next.back();
    next.pop_back();
    if (!edge.is_valid() || !seen.insert(edge.function.get()).second) continue;
    if (is_leaf(*edge.function)) {
      found.push_back(edge);
    } else if (edge.function->sequence_nr() < start) {
      throw Failure("checkpoint: the part captures a tensor with a graph, made by " + edge.function->name() +
                    "; give it as an input");
    } else {
      const auto& edges = edge.function->next_edges();
      next.insert(next.end(), edges.begin(), edges.end());
    }
  }
  return found;
}

class CheckpointNode : public torch::autograd::Node {
 public:
  CheckpointNode(Part part, const Inputs& inputs) : part_(std::move(part)), autocast_(AutocastState::now()) {
    for (const at::Tensor& x : inputs) inputs_.emplace_back(x, false);
  }
  std::string name() const override { return "PerrinCheckpointBackward"; }
  void release_variables() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    part_ = nullptr;
    inputs_.clear();
  }

 protected:
  // Gradients of the inputs, then of the parameters, in the order of next_edges().
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    TORCH_CHECK_NOT_IMPLEMENTED(!at::GradMode::is_enabled(),
                                "gradient checkpointing is differentiable once: its backward was called with "
                                "create_graph=True. Turn gradient checkpointing off for second derivatives.");
    torch::autograd::variable_list result(num_outputs());
    if (!gradients[0].defined()) return result;
    const auto [part, inputs] = restore();
    const at::Tensor y = run(part, inputs);
    torch::autograd::edge_list wanted;
    std::vector<size_t> places;
    for (size_t i = 0; i < result.size(); ++i) {
      if (!task_should_compute_output(i)) continue;
      wanted.push_back(i < inputs.size() ? torch::autograd::impl::gradient_edge(inputs[i]) : next_edge(i));
      places.push_back(i);
    }
    const auto found = torch::autograd::Engine::get_default_engine().execute({torch::autograd::impl::gradient_edge(y)},
                                                                             gradients, false, false, false, wanted);
    for (size_t i = 0; i < places.size(); ++i) result[places[i]] = found[i];
    return result;
  }

 private:
  std::pair<Part, Inputs> restore() {
    const std::lock_guard<std::mutex> lock(mutex_);
    TORCH_CHECK(part_, torch::autograd::ERR_BACKWARD_TWICE);
    Inputs inputs;
    for (const auto& x : inputs_) inputs.push_back(x.unpack());
    return {part_, leaves_of(inputs)};
  }
  at::Tensor run(const Part& part, const Inputs& inputs) const {
    const AutocastScope autocast(autocast_);
    const at::AutoGradMode recording(true);
    return part(inputs);
  }

  Part part_;
  AutocastState autocast_;
  std::vector<torch::autograd::SavedVariable> inputs_;
};

// Newer LibTorch counts a node's references inside it, older (up to 2.11 at least) beside it.
template <class Node>
auto make_checkpoint(Part part, const Inputs& inputs) {
  if constexpr (std::is_base_of_v<c10::intrusive_ptr_target, Node>) {
    return c10::make_intrusive<Node>(std::move(part), inputs);
  } else {
    return std::shared_ptr<Node>(new Node(std::move(part), inputs), [](auto* node) { deleteNode(node); });
  }
}

}  // namespace detail

// part(inputs), of which `inputs` and the result alone are kept for the gradient.
inline at::Tensor checkpoint(Part part, const std::vector<at::Tensor>& inputs) {
  if (!at::GradMode::is_enabled()) return part(inputs);
  const auto leaves = detail::leaves_of(inputs);
  const uint64_t start = at::sequence_number::peek();
  const at::Tensor y = part(leaves);  // with its graph, which shows the parameters and is dropped on return
  if (!y.requires_grad()) return y;
  auto edges = torch::autograd::collect_next_edges(inputs);
  const auto parameters = detail::parameters_of(y, leaves, start);
  edges.insert(edges.end(), parameters.begin(), parameters.end());
  const auto node = detail::make_checkpoint<detail::CheckpointNode>(std::move(part), inputs);
  node->set_next_edges(std::move(edges));
  at::Tensor result = y.detach();
  torch::autograd::set_history(result, node);
  return result;
}

}  // namespace perrin
