// l2 as a tier A plugin: no LibTorch, only the host's operators.
#include <perrin/cpp/loss.hpp>

namespace {

class PortableL2 {
 public:
  static constexpr std::string_view id = "test.portable-l2";
  static constexpr std::string_view version = "0.1.0";
  static constexpr std::string_view doc = "l2 through op_call.";
  static std::vector<perrin::Key> keys() { return {}; }
  explicit PortableL2(const perrin::Config&) {}

  perrin::Handle values(const perrin_call&, const perrin::Handle& prediction, const perrin::Handle& target) const {
    std::vector<int64_t> elements;
    const auto* tensor = perrin::service<perrin_host_tensor>(PERRIN_HOST_TENSOR);
    for (uint32_t i = 1; i < tensor->rank(prediction.get()); ++i) elements.push_back(i);
    return mean_(mse_(prediction, target, 0), elements);
  }

 private:
  perrin::Op mse_{"aten::mse_loss"}, mean_{"aten::mean", "dim"};
};
PERRIN_LOSS(PortableL2);

}  // namespace

PERRIN_LIBRARY(PERRIN_NOTE_TIER_A)
