"""Writes the files of autoencoder_kl_parity_test.cpp beside this script: diffusers' AutoencoderKL with random weights,
and what it gives; and compvis_names.txt, CompVis' name of each tensor of the second beside diffusers', as diffusers'
convert_ldm_vae_checkpoint maps them.

Made with diffusers 0.42.1, torch 2.11.0 and safetensors 0.8.0; each file's metadata says so. The weights are rounded to
eight bits (float8_e4m3fn) before the models run, in float32, so that one byte each holds them exactly.
"""
import pathlib
import re

import diffusers
import safetensors
import torch
from diffusers import AutoencoderKL
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
VERSIONS = {m.__name__: m.__version__ for m in (diffusers, torch, safetensors)}


def randomise(net):
    with torch.no_grad():
        for name, p in net.named_parameters():
            fan_in = p[0].numel() if p.dim() > 1 else 1
            p.copy_(torch.randn_like(p) * (0.2 if p.dim() < 2 else fan_in ** -0.5))
            if "norm" in name and name.endswith("weight"):
                p.add_(1)
            p.copy_(p.to(torch.float8_e4m3fn))


def write(name, x, **config):
    attended = config.pop("attended")
    levels = len(config["block_out_channels"])
    net = AutoencoderKL(
        down_block_types=["AttnDownEncoderBlock2D" if i in attended else "DownEncoderBlock2D" for i in range(levels)],
        up_block_types=["AttnUpDecoderBlock2D" if levels - 1 - i in attended else "UpDecoderBlock2D"
                        for i in range(levels)],
        in_channels=x.shape[1], out_channels=x.shape[1], **config)
    randomise(net)
    x.requires_grad_(True)
    posterior = net.encode(x).latent_dist
    out = net.decode(posterior.mean).sample
    (out.square().mean() + posterior.parameters.square().mean()).backward()
    tensors = {"weights." + k: p.detach().to(torch.float8_e4m3fn).contiguous() for k, p in net.named_parameters()}
    tensors |= {"x": x.detach(), "mean": posterior.mean, "log_variance": posterior.logvar, "out": out,
                "x_gradient": x.grad}
    save_file({k: t.detach().contiguous() for k, t in tensors.items()}, HERE / f"{name}.safetensors", VERSIONS)
    print(name, sum(p.numel() for p in net.parameters()), "parameters, out up to", out.abs().max().item())


# As Stable Diffusion 3's and Flux': without the convolutions on both sides of the latent.
torch.manual_seed(1)
write("autoencoder_kl_bare", torch.randn(1, 3, 16, 16), block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
      latent_channels=4, use_quant_conv=False, use_post_quant_conv=False, attended=())

torch.manual_seed(0)
write("autoencoder_kl", torch.randn(2, 3, 16, 16), block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
      latent_channels=4, attended=())
write("autoencoder_kl_attention_in_levels", torch.randn(2, 1, 16, 24), block_out_channels=(8, 16, 16),
      layers_per_block=2, norm_num_groups=4, latent_channels=3, mid_block_add_attention=False, attended=(1,))


def compvis(name, levels):
    """A candidate, which is right where diffusers' converter turns it into `name`."""
    name = re.sub(r"up_blocks\.(\d+)", lambda m: f"up.{levels - 1 - int(m[1])}", name)
    for now, then in (("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"), ("mid_block.attentions.0", "mid.attn_1"),
                      ("down_blocks", "down"), ("resnets", "block"), ("downsamplers.0", "downsample"), ("upsamplers.0", "upsample"),
                      ("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut"), ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"),
                      ("to_v", "v"), ("to_out.0", "proj_out")):
        name = name.replace(now, then)
    return name


net = AutoencoderKL(block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8, latent_channels=4,
                    down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2)
names = {compvis(k, 2): k for k in net.state_dict()}
theirs = {}
for old, new in names.items():
    p = net.state_dict()[new].float()
    theirs["first_stage_model." + old] = p[..., None, None] if ".mid.attn_1." in old and p.dim() == 2 else p
converted = convert_ldm_vae_checkpoint(theirs, net.config)
assert set(converted) == set(names.values()), set(converted) ^ set(names.values())
assert all(torch.equal(converted[new].reshape(net.state_dict()[new].shape), net.state_dict()[new]) for new in converted)
(HERE / "compvis_names.txt").write_text("".join(f"{old} {new}\n" for old, new in sorted(names.items())))
