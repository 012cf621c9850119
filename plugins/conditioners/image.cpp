// An image as further channels of the denoiser's input, as SR3 (2104.07636) and Palette (2111.05826) condition.
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>

#include <perrin/cpp/conditioner.hpp>

#include "holes.hpp"

namespace {

using perrin::Failure;
using perrin::Key;

at::Tensor enlarged(const at::Tensor& x, const std::string& by, int64_t height, int64_t width) {
  if (by == "nearest") return at::upsample_nearest2d(x, {height, width});
  if (by == "bilinear") return at::upsample_bilinear2d(x, {height, width}, false);
  return at::upsample_bicubic2d(x, {height, width}, false);
}

class Image {
 public:
  static constexpr std::string_view id = "image";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc =
      "An image beside the denoiser's input, as further channels: the reduced and enlarged image for super-resolution "
      "(2104.07636), or the hole and the image around it for inpainting (2111.05826). Zeros where it is hidden.";
  static std::vector<Key> keys() {
    return {
        Key::string("task", nullptr, "what the condition shows of the image")
            .choices({"super-resolution", "inpainting"}),
        Key::integer("factor", "4", "super-resolution: how much smaller the image is made, by the mean of each square")
            .min(2),
        Key::string("enlarge", "\"bicubic\"", "super-resolution: how it is brought back to size")
            .choices({"bicubic", "bilinear", "nearest"}),
        Key::string("holes", "\"mixed\"",
                    "inpainting: the holes that are drawn where the batch has no mask: boxes, strokes of a brush, or "
                    "either")
            .choices({"boxes", "brush", "mixed"}),
        Key::integer("size", "0", "height and width of the condition, the denoiser's; 0: the image's own").min(0),
        Key::number("drop", "0.1", "probability that training hides a sample's image").min(0).max(1),
        Key::string("field", "\"image\"", "the dataset's field that holds the image"),
        Key::string("mask_field", "\"mask\"",
                    "inpainting: the batch's field of holes, [B, H, W] or [B, 1, H, W]: numbers in [0, 1], or bytes; "
                    "a hole is where it is more than half")};
  }
  explicit Image(const perrin::Config& config)
      : inpainting_(config.string("task") == "inpainting"),
        factor_(config.integer("factor")),
        size_(config.integer("size")),
        enlarge_(config.string("enlarge")),
        holes_(config.string("holes")),
        field_(config.string("field")),
        mask_field_(config.string("mask_field")),
        drop_(config.number("drop")) {}

  perrin_conditioning_spec infer(uint32_t n, const perrin_field* fields) {
    const perrin_field& image = find(n, fields);
    channels_ = image.spec.sizes[0], height_ = image.spec.sizes[1], width_ = image.spec.sizes[2];
    scale_ = image.scale, offset_ = image.offset;
    if (!inpainting_ && (height_ % factor_ != 0 || width_ % factor_ != 0))
      throw Failure(PERRIN_INVALID_CONFIG,
                    c10::str("factor = ", factor_, " does not divide images of ", height_, " x ", width_));
    perrin_conditioning_spec spec{};
    spec.struct_size = sizeof spec;
    spec.slots = PERRIN_SLOT_CONCAT;
    spec.concat = {perrin::text("concat"), PERRIN_FLOAT32, 3, {channels_ + inpainting_, out(height_), out(width_)}};
    return spec;
  }

  double drop_probability() const { return drop_; }

  perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) const {
    const auto n = static_cast<int64_t>(call.n);
    if (drop != nullptr && std::all_of(drop, drop + n, [](uint8_t d) { return d != 0; }))
      return {{}, {}, at::zeros({n, channels_ + inpainting_, out(height_), out(width_)})};
    const at::Tensor image = fields[field_].to(at::kFloat).mul(scale_).add(offset_);
    at::Tensor shown = inpainting_ ? around_hole(image, call, fields) : reduced(image);  // [B, C, H, W]
    if (drop != nullptr) {
      std::vector<uint8_t> kept(drop, drop + n);
      for (uint8_t& one : kept) one = one == 0;
      shown = shown.mul(at::tensor(at::ArrayRef<uint8_t>(kept)).view({n, 1, 1, 1}).to(shown.device(), at::kFloat));
    }
    return {{}, {}, shown};
  }

  perrin::Parameters& parameters() { return parameters_; }

 private:
  const perrin_field& find(uint32_t n, const perrin_field* fields) const {
    std::string names;
    for (uint32_t i = 0; i < n; ++i) {
      const std::string name(perrin::view(fields[i].spec.name));
      names += (names.empty() ? "" : ", ") + name;
      if (name != field_) continue;
      if (fields[i].spec.rank == 3) return fields[i];
      throw Failure(PERRIN_INVALID_CONFIG, "the dataset's field \"" + field_ +
                                               "\" is no image [C, H, W]: its rank is " +
                                               std::to_string(fields[i].spec.rank));
    }
    throw Failure(PERRIN_INVALID_CONFIG, "the dataset has no field \"" + field_ + "\"; it has: " + names);
  }

  int64_t out(int64_t side) const { return size_ > 0 ? size_ : side; }

  [[noreturn]] void refuse(const std::string& field, const at::Tensor& got, const std::string& wanted) const {
    throw Failure(PERRIN_INVALID_DATA,
                  c10::str("the batch's field \"", field, "\" is ", got.sizes(), "; it must be ", wanted));
  }

  // An image of full size is made smaller first; one that is small already is enlarged only, which is how a sample is
  // asked for. -> [B, C, H, W] in the condition's size.
  at::Tensor reduced(const at::Tensor& image) const {
    const int64_t h = height_ / factor_, w = width_ / factor_;
    const bool full = image.sizes().slice(1) == at::IntArrayRef({channels_, height_, width_});
    if (!full && image.sizes().slice(1) != at::IntArrayRef({channels_, h, w}))
      refuse(field_, image,
             c10::str("[B, ", channels_, ", ", height_, ", ", width_, "], or 1/", factor_, " of that: [B, ", channels_,
                      ", ", h, ", ", w, "]"));
    return enlarged(full ? at::avg_pool2d(image, factor_) : image, enlarge_, out(height_), out(width_));
  }

  // The hole, then the image with zeros inside it: the order of Stable Diffusion's inpainting network.
  at::Tensor around_hole(const at::Tensor& image, const perrin_call& call, const perrin::Fields& fields) const {
    if (image.sizes().slice(1) != at::IntArrayRef({channels_, height_, width_}))
      refuse(field_, image, c10::str("[B, ", channels_, ", ", height_, ", ", width_, "]"));
    const at::Tensor given = fields.find(mask_field_);
    const at::Tensor hole = (given.defined() ? hole_of(given, image) : drawn(call)).to(image.device());
    const at::Tensor around = image.mul(hole.eq(0));
    if (size_ == 0 || (size_ == height_ && size_ == width_)) return at::cat(at::TensorList{hole, around}, 1);
    // A reduced pixel is a hole if any of it is.
    const bool down = size_ <= std::min(height_, width_);
    return at::cat(at::TensorList{down ? std::get<0>(at::adaptive_max_pool2d(hole, {size_, size_}))
                                       : at::upsample_nearest2d(hole, {size_, size_}),
                                  down ? at::adaptive_avg_pool2d(around, {size_, size_})
                                       : at::upsample_bilinear2d(around, {size_, size_}, false)},
                   1);
  }

  at::Tensor hole_of(const at::Tensor& mask, const at::Tensor& image) const {  // -> [B, 1, H, W] of 0 and 1
    const at::Tensor m = mask.dim() == 3 ? mask.unsqueeze(1) : mask;
    if (m.dim() != 4 || m.size(0) != image.size(0) || m.size(1) != 1 || m.size(2) != height_ || m.size(3) != width_)
      refuse(mask_field_, mask,
             c10::str("[", image.size(0), ", 1, ", height_, ", ", width_, "], as high and wide as the image"));
    return m.to(at::kFloat).gt(m.scalar_type() == at::kByte ? 127.5 : 0.5).to(at::kFloat);
  }

  at::Tensor drawn(const perrin_call& call) const {  // [B, 1, H, W]
    const auto n = static_cast<int64_t>(call.n);
    const at::Tensor result = at::zeros({n, 1, height_, width_});
    for (int64_t b = 0; b < n; ++b) {
      const std::vector<float> hole = holes::draw(holes_, call.seed, call.samples[b], height_, width_);
      std::copy(hole.begin(), hole.end(), result.mutable_data_ptr<float>() + b * height_ * width_);
    }
    return result;
  }

  bool inpainting_;
  int64_t factor_, size_, channels_ = 0, height_ = 0, width_ = 0;
  std::string enlarge_, holes_, field_, mask_field_;
  double drop_, scale_ = 1, offset_ = 0;
  perrin::Parameters parameters_;  // none
};
PERRIN_CONDITIONER(Image);

}  // namespace
