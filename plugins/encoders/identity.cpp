// Pixel space: diffusion runs on the data itself.
#include <perrin/cpp/encoder.hpp>

namespace {

class Identity {
 public:
  static constexpr std::string_view id = "identity";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc = "No first stage: diffusion runs in the data's own space.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit Identity(const perrin::Config&) {}

  perrin_spec infer(const perrin_spec& x) { return x; }
  at::Tensor encode(const perrin_call&, const at::Tensor& x) const { return x; }
  at::Tensor decode(const perrin_call&, const at::Tensor& z) const { return z; }
  perrin::Parameters& parameters() { return parameters_; }

 private:
  perrin::Parameters parameters_;
};
PERRIN_ENCODER(Identity);

}  // namespace
