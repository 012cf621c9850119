#include "trunk.hpp"

namespace trunk {

using Then = perrin::GroupNorm::Then;

std::vector<perrin::Key> Settings::keys() {
  using perrin::Key;
  return {Key::integers("channels", "[32, 64, 96]",
                        "channels of each level; from the second on each halves the image; multiples of 16 are fastest")
              .min(1),
          Key::integer("blocks", "1", "residual blocks of each level").min(1),
          Key::integer("groups", "8", "groups of each normalisation; must divide every entry of channels").min(1)};
}

Settings::Settings(const perrin::Config& config)
    : channels(config.integers("channels")), blocks(config.integer("blocks")), groups(config.integer("groups")) {
  if (channels.empty()) throw perrin::Failure(PERRIN_INVALID_CONFIG, "channels is empty; give at least one level");
  for (const int64_t c : channels)
    if (c % groups != 0)
      throw perrin::Failure(PERRIN_INVALID_CONFIG,
                            std::to_string(c) + " channels do not divide into groups = " + std::to_string(groups));
}

std::vector<std::string> Settings::layers() const {
  std::vector<std::string> names = {"stem"};
  for (size_t i = 1; i <= channels.size(); ++i) names.push_back("level" + std::to_string(i));
  names.push_back("features");
  return names;
}

Block::Block(perrin::Parameters& p, const std::string& name, int64_t groups, int64_t in, int64_t out, int64_t stride)
    : norm1_(p, name + ".norm1", groups, in, Then::silu),
      conv1_(p, name + ".conv1", in, out, 3, stride),
      norm2_(p, name + ".norm2", groups, out, Then::silu),
      conv2_(p, name + ".conv2", out, out) {
  if (in != out || stride != 1) shortcut_.emplace(p, name + ".shortcut", in, out, 1, stride);
}

at::Tensor Block::operator()(const at::Tensor& x) const {
  const auto h = norm1_(x);
  return conv2_(norm2_(conv1_(h))).add(shortcut_ ? (*shortcut_)(h) : x);
}

Trunk::Trunk(perrin::Parameters& p, const Settings& settings, std::string_view id, const perrin_spec& x) {
  images::require(id, x, int64_t{1} << (settings.channels.size() - 1));
  stem_.emplace(p, "stem", x.sizes[0], settings.channels[0]);
  int64_t in = settings.channels[0], height = x.sizes[1], width = x.sizes[2];
  specs_.push_back(images::spec(x, {in, height, width}));
  for (size_t i = 0; i < settings.channels.size(); ++i) {
    const int64_t c = settings.channels[i], stride = i == 0 ? 1 : 2;
    std::vector<Block>& level = levels_.emplace_back();
    for (int64_t j = 0; j < settings.blocks; ++j, in = c)
      level.emplace_back(p, "levels." + std::to_string(i) + "." + std::to_string(j), settings.groups, in, c,
                         j == 0 ? stride : 1);
    height = (height + stride - 1) / stride, width = (width + stride - 1) / stride;
    specs_.push_back(images::spec(x, {c, height, width}));
  }
  norm_.emplace(p, "norm", settings.groups, in, Then::silu);
  specs_.push_back(images::spec(x, {in}));
}

at::Tensor Trunk::operator()(const at::Tensor& x, perrin::WantedLayers& layers) const {
  auto h = (*stem_)(x.contiguous(at::MemoryFormat::ChannelsLast));
  if (layers.take(h)) return {};
  for (const std::vector<Block>& level : levels_) {
    for (const Block& block : level) h = block(h);
    if (layers.take(h)) return {};
  }
  const auto features = (*norm_)(h).mean({2, 3});
  return layers.take(features) ? at::Tensor() : features;
}

}  // namespace trunk
