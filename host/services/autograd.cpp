// Gradients for plugins, and operations whose gradient a plugin gives.
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <cstring>
#include <optional>
#include <type_traits>

#include "host/services/account.hpp"
#include "host/services/guard.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"

namespace perrin::services {
namespace {

using torch::autograd::variable_list;

variable_list list_of(uint32_t n, perrin_tensor* const* tensors) {
  variable_list list(n);
  for (uint32_t i = 0; i < n; ++i)
    if (tensors[i] != nullptr) list[i] = unwrap(tensors[i]);
  return list;
}

void give(const variable_list& list, perrin_tensor** out) {
  std::vector<TensorHandle> made;
  for (const auto& tensor : list) made.push_back(wrap(tensor));
  for (size_t i = 0; i < made.size(); ++i) out[i] = lend(std::move(made[i]));
}

perrin_status* grad(uint32_t n_outputs, perrin_tensor* const* outputs, perrin_tensor* const* grad_outputs,
                    uint32_t n_inputs, perrin_tensor* const* inputs, int32_t create_graph, perrin_tensor** gradients) {
  return as_status([&] {
    auto weights = grad_outputs == nullptr ? variable_list() : list_of(n_outputs, grad_outputs);
    give(torch::autograd::grad(list_of(n_outputs, outputs), list_of(n_inputs, inputs), weights, create_graph != 0,
                               create_graph != 0, /*allow_unused=*/true),
         gradients);
  });
}

// Owns the plugin's context: `free` is called exactly once, whatever happens.
class Backward {
 public:
  Backward(const perrin_backward* given, const variable_list& inputs)
      : call_(loader::here), account_(account), session_(Session::here().shared_from_this()) {
    static const char* const name = loader::keep_text("backward");
    std::memcpy(&table_, given, std::min<size_t>(given->struct_size, sizeof(table_)));
    call_.call = name;
    for (const at::Tensor& input : inputs) sizes_.push_back(input.defined() ? std::optional(input.sizes().vec()) : std::nullopt);
  }
  Backward(Backward&& other) noexcept
      : table_(other.table_),
        call_(other.call_),
        account_(other.account_),
        session_(std::move(other.session_)),
        sizes_(std::move(other.sizes_)) {
    other.table_ = {};
  }
  ~Backward() {
    if (table_.free == nullptr) return;
    static const char* const name = loader::keep_text("free of a backward context");
    const InSession in(*session_);
    const Counting counting(account_);
    loader::Inside mark(call_.library, call_.component, name);
    table_.free(table_.context);
  }

  bool usable() const { return table_.backward != nullptr && table_.free != nullptr; }
  const loader::Breadcrumb& where() const { return call_; }

  variable_list run(const variable_list& grad_outputs, uint32_t n_inputs) const {
    const InSession in_session(*session_);  // gradients are computed by threads of LibTorch's own
    std::vector<TensorHandle> held;
    std::vector<perrin_tensor*> out, in(n_inputs, nullptr);
    for (const auto& g : grad_outputs) out.push_back(held.emplace_back(wrap(g)).get());
    const Counting counting(account_);
    invoke(call_, [&] {
      return table_.backward(table_.context, static_cast<uint32_t>(out.size()), out.data(), n_inputs, in.data());
    });
    variable_list result(n_inputs);
    for (uint32_t i = 0; i < n_inputs; ++i) result[i] = gradient(in[i], i);
    return result;
  }

 private:
  // What the plugin gave for input number i; undefined for NULL.
  at::Tensor gradient(perrin_tensor* given, uint32_t i) const {
    if (given == nullptr) return {};
    const auto wrong = [&](const std::string& what) {
      throw Misbehaviour("the plugin gave, as the gradient of input " + std::to_string(i) + ", " + what, describe(call_));
    };
    const Counting counting(account_);
    if (!alive(given)) wrong(not_alive(given));
    if (!take_back(given)) wrong("a tensor of which it owns no reference");
    const at::Tensor value = take(given);
    if (sizes_[i] && value.sizes() != at::IntArrayRef(*sizes_[i]))
      wrong("a tensor of shape " + c10::str(value.sizes()) + " in place of " + c10::str(at::IntArrayRef(*sizes_[i])));
    return value;
  }

  perrin_backward table_ = {};
  loader::Breadcrumb call_;
  Account* account_;
  std::shared_ptr<Session> session_;
  std::vector<std::optional<std::vector<int64_t>>> sizes_;  // of the inputs; none for NULL
};

class PluginNode : public torch::autograd::Node {
 public:
  PluginNode(Backward backward, uint32_t n_inputs) : backward_(std::move(backward)), n_inputs_(n_inputs) {}
  std::string name() const override { return "PluginBackward: " + describe(backward_.where()); }

 protected:
  variable_list apply(variable_list&& grad_outputs) override { return backward_.run(grad_outputs, n_inputs_); }

 private:
  Backward backward_;
  uint32_t n_inputs_;
};

// Newer LibTorch counts a node's references inside it, older (up to 2.11 at least) beside it.
template <class Node, class... Arguments>
auto make_node(Arguments&&... arguments) {
  if constexpr (std::is_base_of_v<c10::intrusive_ptr_target, Node>) {
    return c10::make_intrusive<Node>(std::forward<Arguments>(arguments)...);
  } else {
    return std::shared_ptr<Node>(new Node(std::forward<Arguments>(arguments)...), [](auto* node) { deleteNode(node); });
  }
}

perrin_status* custom_grad(uint32_t n_inputs, perrin_tensor* const* inputs, uint32_t n_outputs,
                           perrin_tensor* const* values, const perrin_backward* given, perrin_tensor** outputs) {
  return as_status([&] {
    if (given == nullptr || given->struct_size < sizeof(perrin_backward))
      throw Fault(PERRIN_INVALID_DATA, "custom_grad needs a perrin_backward with its struct_size");
    auto sources = list_of(n_inputs, inputs);
    Backward backward(given, sources);
    if (!backward.usable()) throw Fault(PERRIN_INVALID_DATA, "custom_grad needs both backward and free");
    variable_list results;
    for (const auto& value : list_of(n_outputs, values)) results.push_back(value.detach());
    if (torch::autograd::compute_requires_grad(sources)) {
      auto node = make_node<PluginNode>(std::move(backward), n_inputs);
      node->set_next_edges(torch::autograd::collect_next_edges(sources));
      torch::autograd::set_history(results, node);
    }
    give(results, outputs);
  });
}

}  // namespace

const perrin_host_autograd autograd_table = {sizeof(perrin_host_autograd), 0, grad, custom_grad};

}  // namespace perrin::services
