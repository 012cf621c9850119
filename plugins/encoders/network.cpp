#include "network.hpp"

#include <algorithm>

namespace first_stage {

using Then = perrin::GroupNorm::Then;

namespace {

// [B T, C, H, W] as [B, C, T, H W], whose height is time, through `resample`, and back; no copy but the resampling's.
template <class Resample>
at::Tensor through_time(const at::Tensor& x, Context& context, const Resample& resample) {
  const auto nhwc = x.permute({0, 2, 3, 1});  // [B T, H, W, C]
  const auto y = resample(nhwc.flatten(1, 2).unflatten(0, {-1, context.frames}).permute({0, 3, 1, 2}));
  context.frames = y.size(2);
  return y.permute({0, 2, 3, 1}).flatten(0, 1).unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2});
}

// Residual blocks from `in` channels to the level's, `n` of them, each with attention at the heights that have it.
Level level_of(Plan& plan, const std::string& name, int64_t n, int64_t in, int64_t out, int64_t height) {
  Level level;
  for (int64_t j = 0; j < n; ++j) {
    const std::string number = std::to_string(j);
    level.resnets.emplace_back(plan, name + ".resnets." + number, j == 0 ? in : out, out);
    if (plan.settings.attends(height)) level.attentions.emplace_back(plan, name + ".attentions." + number, out);
  }
  return level;
}

at::Tensor blocks(const Level& level, at::Tensor h, const Context& context) {
  for (size_t j = 0; j < level.resnets.size(); ++j) {
    h = level.resnets[j](h, context);
    if (!level.attentions.empty()) h = level.attentions[j](h, context);
  }
  return h;
}

// An image of one channel does not say which memory order it has.
at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace

Middle::Middle(Plan& plan, const std::string& name, int64_t channels)
    : first(plan, name + ".resnets.0", channels, channels),
      attention(plan.settings.mid_attention
                    ? std::optional<AttentionBlock>(std::in_place, plan, name + ".attentions.0", channels)
                    : std::nullopt),
      last(plan, name + ".resnets.1", channels, channels) {}

at::Tensor Middle::operator()(const at::Tensor& x, const Context& context) const {
  const auto h = first(x, context);
  return last(attention ? (*attention)(h, context) : h, context);
}

EncoderNetwork::EncoderNetwork(Plan& plan, const std::string& name, int64_t in, int64_t out, int64_t height)
    : conv_in_(plan.p, name + ".conv_in", in, plan.settings.channels[0]) {
  const Settings& s = plan.settings;
  perrin::Parameters& p = plan.p;
  for (int64_t i = 0; i < s.levels(); ++i) {
    const std::string block = name + ".down_blocks." + std::to_string(i);
    const int64_t c = s.channels[i];
    Level& level =
        levels_.emplace_back(level_of(plan, block, s.blocks, s.channels[std::max<int64_t>(i - 1, 0)], c, height >> i));
    if (i + 1 == s.levels()) continue;
    level.down.emplace(p, block + ".downsamplers.0", c, s.downsample, Axes::space);
    if (i < s.temporal) level.down_time.emplace(p, block + ".time_downsamplers.0", c, s.downsample, Axes::time);
  }
  middle_.emplace(plan, name + ".mid_block", s.channels.back());
  norm_out_.emplace(p, name + ".conv_norm_out", s.groups, s.channels.back(), Then::silu, kEps);
  conv_out_.emplace(p, name + ".conv_out", s.channels.back(), out);
}

at::Tensor EncoderNetwork::operator()(const at::Tensor& x, Context& context) const {
  const auto h = descend(enter(x), context);
  return leave(h, context);
}

at::Tensor EncoderNetwork::enter(const at::Tensor& x) const { return channels_last(conv_in_(x)); }

at::Tensor EncoderNetwork::descend(const at::Tensor& x, Context& context, size_t from) const {
  at::Tensor h = x;
  for (size_t i = from; i < levels_.size(); ++i) {
    h = blocks(levels_[i], h, context);
    if (levels_[i].down) h = (*levels_[i].down)(h);
    if (levels_[i].down_time) h = through_time(h, context, *levels_[i].down_time);
  }
  return h;
}

at::Tensor EncoderNetwork::leave(const at::Tensor& h, const Context& context) const {
  return (*conv_out_)((*norm_out_)((*middle_)(h, context)));
}

DecoderNetwork::DecoderNetwork(Plan& plan, const std::string& name, int64_t in, int64_t out, int64_t height)
    : conv_in_(plan.p, name + ".conv_in", in, plan.settings.channels.back()),
      middle_(plan, name + ".mid_block", plan.settings.channels.back()) {
  const Settings& s = plan.settings;
  perrin::Parameters& p = plan.p;
  const int64_t last = s.levels() - 1;
  for (int64_t i = last; i >= 0; --i) {
    const std::string block = name + ".up_blocks." + std::to_string(last - i);
    const int64_t c = s.channels[i];
    Level& level =
        levels_.emplace_back(level_of(plan, block, s.blocks + 1, s.channels[std::min(i + 1, last)], c, height >> i));
    if (i == 0) continue;
    if (i <= s.temporal) level.up_time.emplace(p, block + ".time_upsamplers.0", c, s.upsample, Axes::time);
    level.up.emplace(p, block + ".upsamplers.0", c, s.upsample, Axes::space);
  }
  norm_out_.emplace(p, name + ".conv_norm_out", s.groups, s.channels[0], Then::silu, kEps);
  conv_out_.emplace(p, name + ".conv_out", s.channels[0], out);
}

at::Tensor DecoderNetwork::operator()(const at::Tensor& z, Context& context) const {
  const auto h = ascend(enter(z, context), context);
  return leave(h);
}

at::Tensor DecoderNetwork::enter(const at::Tensor& z, const Context& context) const {
  return middle_(channels_last(conv_in_(z)), context);
}

at::Tensor DecoderNetwork::ascend(const at::Tensor& x, Context& context, size_t to) const {
  at::Tensor h = x;
  for (size_t i = levels_.size(); i-- > to;) {
    const Level& level = levels_[levels_.size() - 1 - i];
    h = blocks(level, h, context);
    if (level.up_time) h = through_time(h, context, *level.up_time);
    if (level.up) h = (*level.up)(h);
  }
  return h;
}

at::Tensor DecoderNetwork::leave(const at::Tensor& h) const { return (*conv_out_)((*norm_out_)(h)); }

}  // namespace first_stage
