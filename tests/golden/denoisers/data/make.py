"""Writes the files of unet_parity_test.cpp beside this script: diffusers' U-Nets with random weights, and what they give.

Made with diffusers 0.42.1, torch 2.11.0 and safetensors 0.8.0; each file's metadata says so. The weights are rounded to
eight bits (float8_e4m3fn) before the models run, in float32, so that one byte each holds them exactly.
"""
import pathlib

import diffusers
import safetensors
import torch
from diffusers import UNet2DConditionModel, UNet2DModel
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


def write(name, net, x, inputs, call):
    randomise(net)
    t = torch.tensor([3.0, 700.0])
    x.requires_grad_(True)
    out = net(x, t, **call).sample
    out.square().mean().backward()
    tensors = {"weights." + k: p.detach().to(torch.float8_e4m3fn).contiguous() for k, p in net.named_parameters()}
    tensors |= {"x": x.detach(), "t": t, "out": out.detach().contiguous(), "x_gradient": x.grad, **inputs}
    save_file(tensors, HERE / f"{name}.safetensors", VERSIONS)
    print(name, sum(p.numel() for p in net.parameters()), "parameters, out up to", out.abs().max().item())


# google/ddpm's layout: sines first, their frequencies shifted, zeros below and on the right, no attention in the middle.
ddpm = dict(in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=4, attn_norm_num_groups=4, norm_eps=1e-6,
            freq_shift=1, flip_sin_to_cos=False, downsample_padding=0, attention_head_dim=None)
torch.manual_seed(1)
write("unet_2d_ddpm",
      UNet2DModel(block_out_channels=(8, 12, 16), down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                  up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"), add_attention=False, **ddpm),
      torch.randn(2, 3, 16, 16), {}, {})
write("unet_2d_ddpm_middle",
      UNet2DModel(block_out_channels=(8, 16), down_block_types=("DownBlock2D", "DownBlock2D"),
                  up_block_types=("UpBlock2D", "UpBlock2D"), **ddpm),
      torch.randn(2, 3, 8, 8), {}, {})

torch.manual_seed(0)
labels = torch.tensor([1, 4])
write("unet_2d",
      UNet2DModel(in_channels=3, out_channels=3, block_out_channels=(16, 32), layers_per_block=1,
                  down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
                  norm_num_groups=8, attn_norm_num_groups=8, attention_head_dim=16,
                  resnet_time_scale_shift="scale_shift", num_class_embeds=5),
      torch.randn(2, 3, 8, 8), {"vector": torch.nn.functional.one_hot(labels, 5).float()}, {"class_labels": labels})

sequence = torch.randn(2, 7, 16)
write("unet_2d_condition",
      UNet2DConditionModel(in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1,
                           down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                           up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), norm_num_groups=8,
                           attention_head_dim=2, cross_attention_dim=16),
      torch.randn(2, 4, 8, 8), {"sequence": sequence}, {"encoder_hidden_states": sequence})

sequence, vector = torch.randn(2, 5, 12), torch.randn(2, 6)
write("unet_2d_condition_linear",
      UNet2DConditionModel(in_channels=3, out_channels=6, block_out_channels=(8, 16), layers_per_block=1,
                           down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                           up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), norm_num_groups=4,
                           attention_head_dim=(1, 2), cross_attention_dim=12, transformer_layers_per_block=2,
                           use_linear_projection=True, resnet_time_scale_shift="scale_shift",
                           class_embed_type="simple_projection", projection_class_embeddings_input_dim=6),
      torch.randn(2, 3, 8, 8), {"sequence": sequence, "vector": vector},
      {"encoder_hidden_states": sequence, "class_labels": vector})
