// VGG (1409.1556, table 1): blocks of 3 x 3 convolutions, each halved by max-pooling. Parameter names are
// torchvision's: "features.N" counts convolutions, rectifiers and poolings, "classifier.0", ".3" and ".6" are the
// linear layers.
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>

#include <perrin/cpp/layers.hpp>

#include "images.hpp"

namespace {

using perrin::Failure;
using perrin::Init;
using perrin::Key;

constexpr int64_t kPooled = 7;  // the classifier sees 7 x 7 pixels of any image (torchvision)
// Mean and deviation of ImageNet's pixels in [0, 1]. Of pixels in [-1, 1] they are LPIPS' scaling layer (1801.03924):
// shift 2 mean - 1, scale 2 deviation.
constexpr double kMean[] = {0.485, 0.456, 0.406}, kDeviation[] = {0.229, 0.224, 0.225};

// 3 x 3, the same size; starts at N(0, 2 / fan_out) (1502.01852, equation 14), as a rectifier follows.
class Convolution {
 public:
  Convolution(perrin::Parameters& p, const std::string& name, int64_t in, int64_t out) : operation_("perrin::conv2d") {
    const double deviation = std::sqrt(2.0 / static_cast<double>(9 * out));
    perrin::Parameters::Options options;
    options.no_decay = true;
    weight_ = &p.add(name + ".weight", {out, in, 3, 3}, Init::normal(deviation));
    bias_ = &p.add(name + ".bias", {out}, Init::zeros(), options);
  }
  // [B, in, H, W] -> [B, out, H, W].
  at::Tensor operator()(const at::Tensor& x) const { return operation_(x, *weight_, *bias_, 1, 1); }

 private:
  const at::Tensor* weight_;
  const at::Tensor* bias_;
  perrin::HostOperator<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, int64_t,
                                  int64_t)>
      operation_;
};

struct Settings {
  explicit Settings(const perrin::Config& config)
      : channels(config.integers("channels")),
        convolutions(config.integers("convolutions")),
        classes(config.integer("classes")),
        hidden(config.integer("hidden")),
        dropout(config.number("dropout")),
        imagenet(config.string("normalise") == "imagenet") {
    if (channels.empty() || channels.size() != convolutions.size())
      throw Failure(PERRIN_INVALID_CONFIG, "channels has " + std::to_string(channels.size()) +
                                               " blocks and convolutions has " + std::to_string(convolutions.size()) +
                                               "; give both the same number, at least one");
  }

  std::vector<std::string> layers() const {
    std::vector<std::string> names;
    for (size_t b = 0; b < channels.size(); ++b)
      for (int64_t i = 0; i < convolutions[b]; ++i)
        names.push_back("relu" + std::to_string(b + 1) + "_" + std::to_string(i + 1));
    if (classes > 0) names.insert(names.end(), {"features", "logits"});
    return names;
  }

  std::vector<int64_t> channels, convolutions;
  int64_t classes, hidden;
  double dropout;
  bool imagenet;
};

class Vgg : public perrin::ExtractorLayers {
 public:
  static constexpr std::string_view id = "vgg", version = "0.1.0";
  static constexpr std::string_view doc =
      "VGG (1409.1556), by default the 13 convolutions of VGG16 as torchvision has them, whose weights it takes. "
      "Layers "
      "relu1_1 to relu5_3; with classes also features and logits.";
  static std::vector<Key> keys() {
    return {
        Key::integers("channels", "[64, 128, 256, 512, 512]", "channels of each block").min(1),
        Key::integers("convolutions", "[2, 2, 3, 3, 3]", "convolutions in each block").min(1),
        Key::integer("classes", "0", "width of the last linear layer; 0: none of the three linear layers").min(0),
        Key::integer("hidden", "4096", "width of the other two linear layers").min(1),
        Key::number("dropout", "0.5", "of the linear layers, in training").min(0).below(1),
        Key::string("normalise", "\"imagenet\"",
                    "imagenet: pixels by ImageNet's mean and deviation, as torchvision and LPIPS; none: as they are")
            .choices({"imagenet", "none"})};
  }
  static void validate(const perrin::Config& config) { Settings{config}; }

  explicit Vgg(const perrin::Config& config) : Vgg(Settings(config)) {}

  std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t n_classes) {
    const size_t halvings = s_.channels.size() - (s_.classes == 0);
    images::require(id, x, int64_t{1} << halvings);
    if (s_.classes > 0 && n_classes > 0 && static_cast<uint64_t>(s_.classes) != n_classes)
      throw Failure(PERRIN_INVALID_CONFIG, "classes is " + std::to_string(s_.classes) + ", and the dataset has " +
                                               std::to_string(n_classes) + " classes");
    normalise();
    std::vector<perrin_spec> specs;
    int64_t in = 3, number = 0, height = x.sizes[1], width = x.sizes[2];
    for (size_t b = 0; b < s_.channels.size(); ++b, ++number, height /= 2, width /= 2)
      for (int64_t i = 0; i < s_.convolutions[b]; ++i, number += 2, in = s_.channels[b]) {
        convolutions_.emplace_back(p_, "features." + std::to_string(number), in, s_.channels[b]);
        specs.push_back(images::spec(x, {s_.channels[b], height, width}));
      }
    if (s_.classes == 0) return specs;
    linear_.emplace_back(p_, "classifier.0", in * kPooled * kPooled, s_.hidden);
    linear_.emplace_back(p_, "classifier.3", s_.hidden, s_.hidden);
    linear_.emplace_back(p_, "classifier.6", s_.hidden, s_.classes);
    specs.push_back(images::spec(x, {s_.hidden}));
    specs.push_back(images::spec(x, {s_.classes}));
    return specs;
  }

  // x: [B, 1 or 3, H, W]; one channel stands for three.
  std::vector<at::Tensor> forward(const perrin_call& call, const at::Tensor& x,
                                  const std::vector<uint32_t>& wanted) const {
    perrin::WantedLayers layers(wanted);
    at::Tensor h = shift_ ? x.sub(*shift_).div(*scale_) : x.expand({x.size(0), 3, x.size(2), x.size(3)});
    h = h.contiguous(at::MemoryFormat::ChannelsLast);
    auto convolution = convolutions_.begin();
    for (const int64_t n : s_.convolutions) {
      for (int64_t i = 0; i < n; ++i)
        if (layers.take(h = at::relu((*convolution++)(h)))) return layers.all;
      h = at::max_pool2d(h, {2, 2}, {2, 2});  // [B, C, H / 2, W / 2]
    }
    const auto draws = s_.dropout > 0 ? perrin::Draws::in_training(call) : nullptr;
    h = at::adaptive_avg_pool2d(h, {kPooled, kPooled}).flatten(1);
    h = dropout_[0](at::relu(linear_[0](h)), draws.get());
    if (layers.take(h = at::relu(linear_[1](h)))) return layers.all;  // [B, hidden]
    layers.take(linear_[2](dropout_[1](h, draws.get())));             // [B, classes]
    return layers.all;
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  explicit Vgg(const Settings& settings)
      : ExtractorLayers(settings.layers()),
        s_(settings),
        dropout_{perrin::Dropout(s_.dropout, 0), perrin::Dropout(s_.dropout, 1)} {}

  void normalise() {
    if (!s_.imagenet) return;
    perrin::Parameters::Options options;
    options.role = PERRIN_SCRATCH;
    shift_ = &p_.add("shift", {3, 1, 1}, Init::zeros(), options);
    scale_ = &p_.add("scale", {3, 1, 1}, Init::ones(), options);
    p_.give([](const std::string& name, at::IntArrayRef sizes) {
      const auto values = at::tensor(at::ArrayRef<double>(name == "shift" ? kMean : kDeviation)).mul(2);
      return (name == "shift" ? values.sub(1) : values).view(sizes);
    });
  }

  Settings s_;
  perrin::Parameters p_;
  const at::Tensor* shift_ = nullptr;
  const at::Tensor* scale_ = nullptr;
  std::vector<Convolution> convolutions_;
  std::vector<perrin::Linear> linear_;
  perrin::Dropout dropout_[2];
};
PERRIN_EXTRACTOR(Vgg);

}  // namespace
