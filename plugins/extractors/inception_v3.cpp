// Inception v3 (1512.00567, table 1) with torchvision's names, and the variant of it whose features the Fréchet
// inception distance compares (1706.08500; the weights of the 2015 TensorFlow graph).
#include <ATen/ops/upsample_bilinear2d.h>

#include <perrin/cpp/layers.hpp>

#include "images.hpp"
#include "inception_blocks.hpp"

namespace {

using inception::Block;
using inception::Convolution;
using inception::Pool;
using perrin::Key;

constexpr int64_t kLeast = 75;  // the last blocks need a pixel to look at

class InceptionV3 : public perrin::ExtractorLayers {
 public:
  static constexpr std::string_view id = "inception-v3", version = "0.1.0";
  static constexpr std::string_view doc =
      "Inception v3 (1512.00567) with torchvision's names, or its variant for the Fréchet inception distance: layers "
      "pool1, pool2, mixed_6e, features (2048) and logits. It is not for training: its statistics are the file's.";
  static std::vector<Key> keys() {
    return {Key::string("variant", "\"torchvision\"",
                        "torchvision, or fid: averages leave the padding out, the last block takes the largest")
                .choices({"torchvision", "fid"}),
            Key::integer("classes", "1000", "width of the last linear layer; of the weights for FID 1008").min(1),
            Key::integer("size", "299",
                         "side to which images are resized, bilinearly, corners not aligned; 0: left as "
                         "they are")
                .min(0)};
  }
  static void validate(const perrin::Config& config) {
    const int64_t size = config.integer("size");
    if (size != 0 && size < kLeast)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            "size must be 0 or at least " + std::to_string(kLeast) + "; it is " + std::to_string(size));
  }

  explicit InceptionV3(const perrin::Config& config)
      : ExtractorLayers({"pool1", "pool2", "mixed_6e", "features", "logits"}),
        fid_(config.string("variant") == "fid"),
        classes_(config.integer("classes")),
        size_(config.integer("size")) {}

  std::vector<perrin_spec> infer(const perrin_spec& x, uint64_t) {
    images::require(id, x, size_ > 0 ? 1 : kLeast);
    build();
    const auto third = [](int64_t n) { return (n - 3) / 2 + 1; };  // after 3 x 3 of stride 2
    const auto shape = [&](int64_t n) {
      const int64_t pool1 = third(third(n) - 2), pool2 = third(pool1 - 2);
      return std::array{pool1, pool2, third(pool2)};
    };
    const auto h = shape(size_ > 0 ? size_ : x.sizes[1]), w = shape(size_ > 0 ? size_ : x.sizes[2]);
    return {images::spec(x, {64, h[0], w[0]}), images::spec(x, {192, h[1], w[1]}), images::spec(x, {768, h[2], w[2]}),
            images::spec(x, {2048}), images::spec(x, {classes_})};
  }

  // x: [B, 1 or 3, H, W] in [-1, 1], which is what the weights were trained on; one channel stands for three.
  std::vector<at::Tensor> forward(const perrin_call&, const at::Tensor& x, const std::vector<uint32_t>& wanted) const {
    perrin::WantedLayers layers(wanted);
    at::Tensor h = x.expand({x.size(0), 3, x.size(2), x.size(3)});
    if (size_ > 0) h = at::upsample_bilinear2d(h, {size_, size_}, false);
    h = h.contiguous(at::MemoryFormat::ChannelsLast);
    for (size_t i = 0; i < stem_.size(); ++i) {
      h = stem_[i](h);
      if ((i == 2 || i == 4) && layers.take(h = inception::pooled(h, Pool::halving))) return layers.all;
    }
    for (size_t i = 0; i < blocks_.size(); ++i) {
      h = blocks_[i](h);
      if (i == 7 && layers.take(h)) return layers.all;
    }
    const auto features = h.mean({2, 3});  // [B, 2048]
    if (!layers.take(features)) layers.take((*logits_)(features));
    return layers.all;
  }

  perrin::Parameters& parameters() { return p_; }

 private:
  void build() {
    const inception::Size k3 = {3, 3}, p0 = {0, 0}, p1 = {1, 1};
    const Convolution::Shape stem[] = {{"Conv2d_1a_3x3", 32, k3, p0, 2},
                                       {"Conv2d_2a_3x3", 32, k3},
                                       {"Conv2d_2b_3x3", 64, k3, p1},
                                       {"Conv2d_3b_1x1", 80},
                                       {"Conv2d_4a_3x3", 192, k3}};
    int64_t in = 3;
    for (const auto& shape : stem) stem_.emplace_back(p_, "", in, shape), in = shape.channels;
    const auto join = [&](Block block) { in = blocks_.emplace_back(std::move(block)).channels; };
    const inception::Plan plan{p_, fid_ ? Pool::average_inside : Pool::average};
    join(inception::a(plan, "Mixed_5b", in, 32));
    join(inception::a(plan, "Mixed_5c", in, 64));
    join(inception::a(plan, "Mixed_5d", in, 64));
    join(inception::b(plan, "Mixed_6a", in));
    join(inception::c(plan, "Mixed_6b", in, 128));
    join(inception::c(plan, "Mixed_6c", in, 160));
    join(inception::c(plan, "Mixed_6d", in, 160));
    join(inception::c(plan, "Mixed_6e", in, 192));
    join(inception::d(plan, "Mixed_7a", in));
    join(inception::e(plan, "Mixed_7b", in));
    join(inception::e({p_, fid_ ? Pool::largest : Pool::average}, "Mixed_7c", in));
    logits_.emplace(p_, "fc", in, classes_);
  }

  bool fid_;
  int64_t classes_, size_;
  perrin::Parameters p_;
  std::vector<Convolution> stem_;
  std::vector<Block> blocks_;
  std::optional<perrin::Linear> logits_;
};
PERRIN_EXTRACTOR(InceptionV3);

}  // namespace
