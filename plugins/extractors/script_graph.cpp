#include "script_graph.hpp"

#include <ATen/core/stack.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include <map>
#include <stdexcept>

#include "script_operators.hpp"

namespace {

using namespace torch::jit;

constexpr int64_t kMostNodes = 1'000'000;  // with every call written out, as LibTorch does before it runs a function

thread_local int64_t loops_left = 0;

void count_loop(Stack&) {
  if (loops_left-- <= 0) throw std::runtime_error("its loops do not end: they went round too often");
}

void refuse_drawn(Stack& stack) {
  if (pop(stack).toBool())
    throw std::runtime_error("it draws random numbers, and an extractor gives the same for the same images");
}

const RegisterOperators operators({
    Operator("perrin_script::loop() -> ()", count_loop, c10::AliasAnalysisKind::CONSERVATIVE),
    Operator("perrin_script::random(bool drawn) -> ()", refuse_drawn, c10::AliasAnalysisKind::CONSERVATIVE),
});

// " (code/__torch__.py:12)", where it is known.
std::string place(const Node& node) {
  const auto at = node.sourceRange().file_line_col();
  return at ? c10::str(" (", std::get<0>(*at), ":", std::get<1>(*at), ")") : "";
}

class Checker {
 public:
  // Number of nodes with every call written out.
  int64_t function(Function& function) {
    const auto known = nodes_.find(&function);
    if (known != nodes_.end()) return known->second;
    auto* compiled = tryToGraphFunction(function);
    if (!compiled) throw std::runtime_error("it calls " + function.name() + ", which is no TorchScript");
    nodes_[&function] = kMostNodes;  // a function that calls itself
    return nodes_[&function] = block(*compiled->graph()->block());
  }

 private:
  int64_t block(Block& block) {
    int64_t nodes = 0;
    for (auto at = block.nodes().begin(); at != block.nodes().end();) {
      Node& node = **at;
      ++at;  // `node` may go
      nodes += 1 + called(node);
      for (Block* inner : node.blocks()) nodes += this->block(*inner);
      if (nodes > kMostNodes) throw std::runtime_error(c10::str("it has more than ", kMostNodes, " operations"));
      one(node);
    }
    return nodes;
  }

  int64_t called(Node& node) {
    if (node.kind() == prim::CallFunction) {
      const auto type = node.input(0)->type()->expect<c10::FunctionType>();
      return function(*type->function());
    }
    if (node.kind() != prim::CallMethod) return 0;
    if (node.input(0)->type()->kind() == c10::TypeKind::InterfaceType) return 0;  // its classes are read, too
    const auto type = node.input(0)->type()->expect<c10::ClassType>();
    return function(type->getMethod(node.s(attr::name)));
  }

  static void one(Node& node) {
    const c10::Symbol kind = node.kind();
    const std::string name = kind.toUnqualString(), whole = kind.toQualString();
    const std::string plain =
        name.size() > 1 && name.ends_with('_') && !name.ends_with("__") ? name.substr(0, name.size() - 1) : name;
    if (kScriptSayings.contains(whole)) return node.destroy();
    if (kind == prim::Loop) return count(node);
    if (kind.is_aten() && kScriptRandom.contains(plain)) return draws(node, nullptr);
    if (kind.is_aten() && kScriptDropout.contains(plain))
      return draws(node, node.namedInput(plain == "rrelu" ? "training" : "train"));
    if (kind == prim::CreateObject) return object(node);
    if (kind.is_prim() ? kScriptPrim.contains(name) : kind.is_aten() && kScriptAten.contains(plain)) return;
    throw std::runtime_error("it uses " + whole + place(node) + ", which is none of the operators that only compute");
  }

  static void object(const Node& node) {
    const auto type = node.output()->type()->expect<c10::ClassType>();
    if (type->name() && type->name()->qualifiedName().starts_with("__torch__.torch.classes."))
      throw std::runtime_error("it makes an object of " + type->name()->qualifiedName() + ", which is no TorchScript");
  }

  static void count(Node& loop) {
    Block& body = *loop.blocks().at(0);
    body.owningGraph()
        ->create(c10::Symbol::fromQualString("perrin_script::loop"), 0)
        ->insertBefore(*body.nodes().begin());
  }

  // `drawn`: whether it draws; null: always.
  static void draws(Node& node, Value* drawn) {
    Graph& graph = *node.owningGraph();
    const WithInsertPoint at(&node);
    if (!drawn) drawn = graph.insertConstant(true);
    graph.insertNode(graph.create(c10::Symbol::fromQualString("perrin_script::random"), {drawn}, 0));
  }

  std::map<const Function*, int64_t> nodes_;
};

}  // namespace

void check_script_functions(const std::vector<Function*>& functions) {
  Checker checker;
  for (Function* function : functions) checker.function(*function);
}

void limit_script_loops(int64_t n) { loops_left = n; }
