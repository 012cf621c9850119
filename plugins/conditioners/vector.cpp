// Numbers that come with a sample (attributes, coordinates, scores) as one vector.
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <perrin/cpp/conditioner.hpp>

namespace {

using perrin::Failure;
using perrin::Key;

class Vector {
 public:
  static constexpr std::string_view id = "vector";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "Numbers of one or more fields, one behind the other, as a vector: as they are or through a small network, with "
      "sines of several frequencies where their fine differences count (2003.08934, equation 4).";
  static std::vector<Key> keys() {
    return {Key::strings("fields", nullptr, "the dataset's fields that hold the numbers, of any shape"),
            Key::integer("width", "128", "size of the vector; with layers = 0 it is as long as the numbers").min(1),
            Key::integer("layers", "2", "layers of the network, SiLU between them; 0: none").min(0),
            Key::integer("frequencies", "0", "sine and cosine of 2^k pi x beside each x, k below this").min(0).max(24),
            Key::number("drop", "0.1", "probability that training hides a sample's numbers").min(0).max(1),
            Key::string("null", "\"learnt\"", "what stands where they are hidden").choices({"learnt", "zeros"})};
  }
  explicit Vector(const perrin::Config& config)
      : names_(config.strings("fields")),
        width_(config.integer("width")),
        layers_(config.integer("layers")),
        frequencies_(config.integer("frequencies")),
        drop_(config.number("drop")),
        learnt_(config.string("null") == "learnt") {}
  static void validate(const perrin::Config& config) {
    if (config.strings("fields").empty())
      throw Failure(PERRIN_INVALID_CONFIG, "fields is empty: name at least one field of the dataset");
  }

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    int64_t numbers = 0;
    for (const std::string& name : names_) {
      const perrin_field& field = find(name, n, fields);
      int64_t count = 1;
      for (uint32_t i = 0; i < field.spec.rank; ++i) count *= field.spec.sizes[i];
      parts_.push_back({name, count, field.scale, field.offset});
      numbers += count;
    }
    int64_t in = numbers * (1 + 2 * frequencies_);
    for (int64_t i = 0; i < layers_; ++i, in = width_) network_.push_back(layer("layers." + std::to_string(i), in));
    out_ = in;
    if (learnt_) null_ = &parameters_.add("null", {out_}, perrin::Init::normal(1), no_decay());
    perrin_conditioning_spec spec{};
    spec.struct_size = sizeof spec;
    spec.slots = PERRIN_SLOT_VECTOR;
    spec.vector = {perrin::text("vector"), PERRIN_FLOAT32, 1, {out_}};
    return spec;
  }

  double drop_probability() const { return drop_; }

  perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) const {
    const auto n = static_cast<int64_t>(call.n);
    std::vector<uint8_t> hidden(call.n);
    if (drop != nullptr) std::copy(drop, drop + n, hidden.begin());
    const auto none = [](uint8_t one) { return one != 0; };
    const bool all = n > 0 && std::all_of(hidden.begin(), hidden.end(), none);  // then nothing needs to be known
    at::Tensor x = all ? at::zeros({n, out_}, options()) : network(numbers(fields, n));  // [B, out]
    if (drop == nullptr) return {x, {}, {}};
    const at::Tensor where = at::tensor(at::ArrayRef<uint8_t>(hidden)).to(x.device(), at::kBool).unsqueeze(1);
    return {at::where(where, learnt_ ? null_->to(x.scalar_type()) : x.new_zeros({1}), x), {}, {}};
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  struct Part {
    std::string name;
    int64_t count;
    double scale, offset;
  };
  struct Layer {
    const at::Tensor *weight, *bias;
  };

  // Weight and bias as perrin::Linear has them.
  Layer layer(const std::string& name, int64_t in) {
    const perrin::Init init = perrin::Init::uniform(1 / std::sqrt(static_cast<double>(in)));
    return {&parameters_.add(name + ".weight", {width_, in}, init),
            &parameters_.add(name + ".bias", {width_}, init, no_decay())};
  }
  static perrin::Parameters::Options no_decay() {
    perrin::Parameters::Options options;
    options.no_decay = true;
    return options;
  }

  static const perrin_field& find(const std::string& name, uint32_t n, const perrin_field* fields) {
    std::string held;
    for (uint32_t i = 0; i < n; ++i) {
      if (perrin::view(fields[i].spec.name) == name) return fields[i];
      held += (i ? ", " : "") + std::string(perrin::view(fields[i].spec.name));
    }
    throw Failure(PERRIN_INVALID_CONFIG, "the dataset has no field \"" + name + "\"; it has: " + held);
  }

  // Of what is computed: the parameters' dtype and device.
  at::TensorOptions options() const {
    if (!network_.empty()) return network_[0].weight->options();
    return null_ ? null_->options() : at::TensorOptions(at::kFloat);
  }

  at::Tensor numbers(const perrin::Fields& fields, int64_t n) const {  // [B, numbers (1 + 2 frequencies)]
    std::vector<at::Tensor> columns;
    for (const Part& part : parts_) {
      const at::Tensor field = fields[part.name];
      if (field.size(0) != n || field.numel() != n * part.count)
        throw Failure(PERRIN_INVALID_DATA, c10::str("the batch's field \"", part.name, "\" is ", field.sizes(),
                                                    "; it must have ", n, " samples of ", part.count, " numbers"));
      columns.push_back(field.to(options()).reshape({n, part.count}).mul(part.scale).add(part.offset));
    }
    const at::Tensor x = at::cat(columns, 1);
    columns = {x};
    for (int64_t k = 0; k < frequencies_; ++k) {
      const at::Tensor angle = x.mul(std::numbers::pi * std::exp2(static_cast<double>(k)));
      columns.push_back(angle.sin());
      columns.push_back(angle.cos());
    }
    return at::cat(columns, 1);
  }

  at::Tensor network(at::Tensor x) const {
    for (size_t i = 0; i < network_.size(); ++i)
      x = at::linear(i > 0 ? at::silu(x) : x, *network_[i].weight, *network_[i].bias);
    return x;
  }

  std::vector<std::string> names_;
  int64_t width_, layers_, frequencies_, out_ = 0;
  double drop_;
  bool learnt_;
  std::vector<Part> parts_;
  perrin::Parameters parameters_;
  std::vector<Layer> network_;
  const at::Tensor* null_ = nullptr;
};
PERRIN_CONDITIONER(Vector);

}  // namespace
