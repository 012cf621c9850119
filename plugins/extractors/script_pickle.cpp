#include "script_pickle.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/set.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <vector>

#include "script_types.hpp"

namespace {

using c10::IValue;

constexpr int kDeepest = 64;              // values in values
constexpr uint32_t kMostMemo = 1u << 22;  // entries

const std::map<std::string, at::ScalarType> kStorages = {{"FloatStorage", at::kFloat},
                                                         {"DoubleStorage", at::kDouble},
                                                         {"HalfStorage", at::kHalf},
                                                         {"BFloat16Storage", at::kBFloat16},
                                                         {"LongStorage", at::kLong},
                                                         {"IntStorage", at::kInt},
                                                         {"ShortStorage", at::kShort},
                                                         {"CharStorage", at::kChar},
                                                         {"ByteStorage", at::kByte},
                                                         {"BoolStorage", at::kBool},
                                                         {"ComplexFloatStorage", at::kComplexFloat},
                                                         {"ComplexDoubleStorage", at::kComplexDouble}};

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error(why); }

// Of a list or a dictionary. What a pickle has referred to is not filled any more: so none holds itself.
struct Filled {
  int depth = 0;
  bool closed = false;
};

// A value, or the name of what makes one: "torch._utils._rebuild_tensor_v2".
struct Item {
  IValue value;
  int level = 0;  // values in values
  std::shared_ptr<Filled> filled = nullptr;
  std::string maker = {};

  int depth() const { return filled ? filled->depth : level; }
};

class Reader {
 public:
  Reader(const std::string& bytes, const ScriptSource& source) : bytes_(bytes), source_(source) {}

  IValue read() {
    if (byte() != 0x80 || byte() != 2) refuse("its pickle is not of protocol 2");
    for (unsigned char code = byte(); code != '.'; code = byte()) step(code);
    if (stack_.size() != 1 || !stack_[0].maker.empty()) refuse("its pickle does not end with one value");
    return stack_[0].value;
  }

 private:
  void step(unsigned char code) {
    switch (code) {
      case '(':
        return marks_.push_back(stack_.size());
      case '}':
        return open(c10::impl::GenericDict(c10::AnyType::get(), c10::AnyType::get()));
      case ']':
        return open(c10::impl::GenericList(c10::AnyType::get()));
      case ')':
        return push(c10::ivalue::Tuple::create(std::vector<IValue>{}));
      case 'N':
        return push(IValue());
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case 'K':
        return push(int64_t{byte()});
      case 'M':
        return push(int64_t{number<uint16_t>()});
      case 'J':
        return push(int64_t{number<int32_t>()});
      case 0x8a:
        return push(long_integer());
      case 'G':
        return push(real());
      case 'X':
        return push(text(number<uint32_t>()));
      case 'q':
        return keep(byte());
      case 'r':
        return keep(number<uint32_t>());
      case 'h':
        return stack_.push_back(kept(byte()));
      case 'j':
        return stack_.push_back(kept(number<uint32_t>()));
      case 't':
        return tuple(since_mark());
      case 0x85:
        return tuple(top(1));
      case 0x86:
        return tuple(top(2));
      case 0x87:
        return tuple(top(3));
      case 'e':
        return extend(since_mark());
      case 'a':
        return extend(top(1));
      case 'u':
        return assign(since_mark());
      case 's':
        return assign(top(2));
      case 'c':
        return global(line());
      case 'Q':
        return storage(pop().value);
      case 0x81:
        return void(pop());  // what a class is made with: nothing
      case 'b':
      case 'R':
        return make();
      default:
        refuse(c10::str("its pickle has the operation ", static_cast<int>(code), ", which TorchScript has not"));
    }
  }

  unsigned char byte() { return number<unsigned char>(); }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, text(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(size_t n) {
    if (n > bytes_.size() - at_) refuse("its pickle is cut");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  std::string line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string::npos) refuse("its pickle is cut");
    const std::string found = text(end - at_);
    ++at_;
    return found;
  }
  int64_t long_integer() {
    if (byte() != 8) refuse("its pickle has an integer beyond 64 bits");
    return number<int64_t>();
  }
  double real() {
    std::string big = text(8);
    std::reverse(big.begin(), big.end());
    double value;
    std::memcpy(&value, big.data(), sizeof value);
    return value;
  }

  void push(IValue value, int depth = 0) { stack_.push_back({std::move(value), depth}); }
  void open(IValue value) { stack_.push_back({std::move(value), 0, std::make_shared<Filled>()}); }
  Item pop() { return std::move(top(1)[0]); }
  std::vector<Item> top(size_t n) {
    const size_t held = marks_.empty() ? 0 : marks_.back();
    if (n > stack_.size() - std::min(held, stack_.size())) refuse("its pickle takes values that it did not give");
    std::vector<Item> taken(std::make_move_iterator(stack_.end() - static_cast<ptrdiff_t>(n)),
                            std::make_move_iterator(stack_.end()));
    stack_.resize(stack_.size() - n);
    return taken;
  }
  std::vector<Item> since_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) refuse("its pickle closes what it did not open");
    const size_t from = marks_.back();
    std::vector<Item> taken = top(stack_.size() - from);
    marks_.pop_back();
    return taken;
  }
  void keep(uint32_t number) {
    if (stack_.empty() || number > kMostMemo) refuse("its pickle keeps what is not there");
    if (number >= memo_.size()) memo_.resize(number + 1);
    memo_[number] = stack_.back();
  }
  Item kept(uint32_t number) {
    if (number >= memo_.size()) refuse("its pickle refers to what is not there");
    if (memo_[number].filled) memo_[number].filled->closed = true;
    return memo_[number];
  }

  static int deepest(const std::vector<Item>& items) {
    int depth = 0;
    for (const Item& item : items) {
      if (!item.maker.empty()) refuse("its pickle has " + item.maker + " for a value");
      depth = std::max(depth, item.depth());
    }
    if (depth >= kDeepest) refuse(c10::str("its values are nested more than ", kDeepest, " deep"));
    return depth + 1;
  }
  void tuple(std::vector<Item> items) {
    const int depth = deepest(items);
    std::vector<IValue> values;
    for (Item& item : items) values.push_back(std::move(item.value));
    push(c10::ivalue::Tuple::create(std::move(values)), depth);
  }
  IValue& filled_with(const std::vector<Item>& items) {
    if (stack_.empty() || !stack_.back().filled || stack_.back().filled->closed)
      refuse("its pickle fills what is closed or not there");
    int& depth = stack_.back().filled->depth;
    depth = std::max(depth, deepest(items));
    return stack_.back().value;
  }
  void extend(std::vector<Item> items) {
    auto list = filled_with(items).toList();
    for (Item& item : items) list.emplace_back(std::move(item.value));
  }
  void assign(std::vector<Item> items) {
    auto dict = filled_with(items).toGenericDict();
    if (items.size() % 2 != 0) refuse("a dictionary of its pickle has a key without a value");
    for (size_t i = 0; i < items.size(); i += 2) dict.insert_or_assign(items[i].value, items[i + 1].value);
  }

  void global(const std::string& module) {
    const std::string name = line();
    const auto known = kStorages.find(name);
    if (module == "torch" && known != kStorages.end()) return push(static_cast<int64_t>(known->second));
    stack_.push_back({{}, 0, nullptr, module + "." + name});
  }
  void make() {
    const std::vector<Item> argument = top(1);
    const int depth = deepest(argument);
    const Item maker = pop();
    push(made(maker.maker, argument[0].value), depth);
  }
  IValue made(const std::string& maker, const IValue& argument) {
    if (maker.starts_with("__torch__")) return object(maker, argument);
    if (!argument.isTuple()) refuse("its pickle calls " + maker + " without arguments");
    const auto& arguments = argument.toTupleRef().elements();
    if (maker == "torch._utils._rebuild_tensor_v2") return tensor(arguments.vec());
    if (maker == "collections.OrderedDict") return {};
    if (maker == "torch.device") return c10::Device(arguments.at(0).toStringRef());
    if (maker == "builtins.complex")
      return c10::complex<double>(arguments.at(0).toDouble(), arguments.at(1).toDouble());
    for (const char* list :
         {"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag"})
      if (maker == std::string("torch.jit._pickle.") + list) return arguments.at(0);  // its type is the attribute's
    refuse("it asks for " + (maker.empty() ? "a value" : maker) + " while it is read");
  }
  IValue object(const std::string& name, const IValue& state) {
    const auto type = source_.type(name)->cast<c10::ClassType>();
    if (!state.isGenericDict() || !type || name.starts_with("__torch__.torch.classes.") || type->findMethod("__setstate__"))
      refuse("it holds an object of " + name + ", which runs code while it is read");
    const auto values = state.toGenericDict();
    auto made = c10::ivalue::Object::create(c10::StrongTypePtr(source_.unit, type), type->numAttributes());
    for (size_t i = 0; i < type->numAttributes(); ++i) {
      const std::string& attribute = type->getAttributeName(i);
      if (!values.contains(attribute)) refuse(name + " lacks its attribute " + attribute);
      made->setSlot(i, of_type(values.at(attribute), type->getAttribute(i), name + "." + attribute));
    }
    return made;
  }

  // A flat tensor over the whole storage. ("storage", dtype, name, device, numel)
  void storage(const IValue& given) {
    const auto& parts = given.toTupleRef().elements();
    const auto dtype = static_cast<at::ScalarType>(parts.at(1).toInt());
    const std::string name = parts.at(2).toStringRef();
    const auto known =
        std::find_if(kStorages.begin(), kStorages.end(), [&](const auto& s) { return s.second == dtype; });
    if (parts.at(0).toStringRef() != "storage" || known == kStorages.end()) refuse("a tensor of it has no known type");
    auto& held = storages_[name];
    if (!held) {
      auto [bytes, size] = source_.storage(name);
      held = at::Storage(c10::Storage::use_byte_size_t(), size, std::move(bytes), nullptr, false);
    }
    const auto size = static_cast<int64_t>(held.nbytes() / at::elementSize(dtype));
    push(at::empty({0}, dtype).set_(held, 0, {size}, {1}));
  }
  // (storage, offset, sizes, strides, requires_grad, hooks)
  static IValue tensor(const std::vector<IValue>& parts) {
    const at::Tensor& storage = parts.at(0).toTensor();
    std::vector<int64_t> sizes, strides;
    for (const IValue& size : parts.at(2).toTupleRef().elements()) sizes.push_back(size.toInt());
    for (const IValue& stride : parts.at(3).toTupleRef().elements()) strides.push_back(stride.toInt());
    const int64_t offset = parts.at(1).toInt();
    if (parts.size() > 6) refuse("a tensor of it is a view that conjugates or negates");
    if (!inside(offset, sizes, strides, storage.numel()))
      refuse(
          c10::str("a tensor ", at::IntArrayRef(sizes), " of it does not fit its ", storage.numel(), " stored values"));
    return at::empty({0}, storage.options()).set_(storage.storage(), offset, sizes, strides);
  }
  static bool inside(int64_t offset, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                     int64_t n) {
    if (offset < 0 || offset > n || sizes.size() != strides.size() || sizes.size() > 16) return false;
    int64_t last = offset, numel = 1, step = 0;
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] < 0 || strides[i] < 0 || __builtin_mul_overflow(numel, sizes[i], &numel)) return false;
      if (__builtin_mul_overflow(std::max<int64_t>(sizes[i] - 1, 0), strides[i], &step) ||
          __builtin_add_overflow(last, step, &last))
        return false;
    }
    return numel == 0 || last < n;
  }

  const std::string& bytes_;
  const ScriptSource& source_;
  size_t at_ = 0;
  std::vector<Item> stack_, memo_;
  std::vector<size_t> marks_;
  std::map<std::string, at::Storage> storages_;
};

}  // namespace

IValue read_script_pickle(const std::string& pickle, const ScriptSource& source) {
  return Reader(pickle, source).read();
}
