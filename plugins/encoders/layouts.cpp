#include "layouts.hpp"

#include <algorithm>
#include <perrin/cpp/weights.hpp>

namespace first_stage {

using perrin::Failure;

namespace {

// Each part of `name` that is a `first` becomes its `second`.
using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;
std::string renamed(std::string name, const Pairs& pairs) {
  for (const auto& [now, then] : pairs)
    if (const size_t at = name.find(now); at != name.npos) name.replace(at, now.size(), then);
  return name;
}

std::string before_0_13(const std::string& name) {
  return renamed(name, {{".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}});
}

// CompVis numbers the decoder's levels as the encoder's, the finest first.
std::string compvis(const std::string& ours, int64_t levels) {
  std::string name = renamed(ours, {{".mid_block.resnets.0.", ".mid.block_1."},
                                    {".mid_block.resnets.1.", ".mid.block_2."},
                                    {".mid_block.attentions.0.", ".mid.attn_1."},
                                    {".down_blocks.", ".down."},
                                    {".resnets.", ".block."},
                                    {".attentions.", ".attn."},
                                    {".downsamplers.0.", ".downsample."},
                                    {".upsamplers.0.", ".upsample."},
                                    {".conv_norm_out.", ".norm_out."},
                                    {".conv_shortcut.", ".nin_shortcut."},
                                    {".group_norm.", ".norm."},
                                    {".to_q.", ".q."},
                                    {".to_k.", ".k."},
                                    {".to_v.", ".v."},
                                    {".to_out.0.", ".proj_out."}});
  constexpr std::string_view up = ".up_blocks.";
  const size_t at = name.find(up);
  if (at == name.npos) return name;
  const size_t number = at + up.size(), end = name.find('.', number);
  const int64_t level = levels - 1 - std::stoll(name.substr(number, end - number));
  return name.substr(0, at) + ".up." + std::to_string(level) + name.substr(end);
}

std::string prefix_in(const perrin::WeightsFile& file) {
  for (const std::string prefix : {"", "vae.", "first_stage_model."})
    if (file.has(prefix + "encoder.conv_in.weight")) return prefix;
  throw Failure(PERRIN_INVALID_DATA, file.file() + " has no tensor \"encoder.conv_in.weight\", nor behind \"vae.\" or "
                                                   "\"first_stage_model.\": it is no first stage of diffusers or CompVis");
}

}  // namespace

void give_weights(perrin::Parameters& p, const Settings& settings) {
  const perrin::WeightsFile file(settings.weights);
  const std::string prefix = prefix_in(file);
  const std::vector<std::string> held = file.names();
  const auto has = [&](const std::string& name) { return std::binary_search(held.begin(), held.end(), prefix + name); };
  if (has("quant_conv.weight") != settings.quant_conv)
    throw Failure(PERRIN_INVALID_DATA, file.file() + (settings.quant_conv ? " has no" : " has a") +
                                           " tensor \"quant_conv.weight\": set quant_conv = " +
                                           (settings.quant_conv ? "false" : "true"));
  p.give([&](const std::string& name, at::IntArrayRef sizes) {
    std::string found = name;
    for (const std::string& other : {before_0_13(name), compvis(name, settings.levels())})
      if (!has(found) && has(other)) found = other;
    const at::Tensor value = file[prefix + found];
    // Projections of CompVis' attention are 1 x 1 convolutions.
    if (value.dim() == 4 && sizes.size() == 2 && value.numel() == sizes[0] * sizes[1]) return value.view(sizes);
    if (value.sizes() == sizes) return value;
    throw Failure(PERRIN_INVALID_DATA, c10::str(file.file(), ": tensor \"", prefix, found, "\" is ", value.sizes(),
                                                ", and the component's \"", name, "\" is ", sizes));
  });
}

}  // namespace first_stage
