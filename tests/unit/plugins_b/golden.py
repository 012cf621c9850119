"""Prints the figures of unet_test.cpp "matches the peer": run with diffusers 0.42.1 and torch 2.11.0 installed.

Every weight is bound * sin(phase(name) + 0.61 i), so that both sides can make them without a file.
"""
import torch
from diffusers import UNet2DModel


def phase(name):
    return sum((i % 7 + 1) * ord(c) for i, c in enumerate(name)) % 1000 / 100


def fill(name, p):
    i = torch.arange(p.numel(), dtype=torch.float64)
    bound = 0.3 if p.dim() < 2 else (6 / p[0].numel()) ** 0.5
    centre = 1 if "norm" in name and name.endswith("weight") else 0
    p.copy_((centre + bound * torch.sin(phase(name) + 0.61 * i)).reshape(p.shape))


def model(channels, down, groups, head):
    up = tuple(b.replace("Down", "Up") for b in reversed(down))
    net = UNet2DModel(in_channels=2, out_channels=2, block_out_channels=channels, layers_per_block=2,
                      down_block_types=down, up_block_types=up, norm_num_groups=groups, attention_head_dim=head).double()
    with torch.no_grad():
        for name, p in net.named_parameters():
            fill(name, p)
    return net


for channels, down, groups, head in [((8, 16), ("DownBlock2D", "AttnDownBlock2D"), 4, 8),
                                     ((8, 16, 16), ("AttnDownBlock2D", "DownBlock2D", "AttnDownBlock2D"), 8, 4)]:
    net = model(channels, down, groups, head)
    x = torch.sin(0.37 * torch.arange(2 * 2 * 8 * 8, dtype=torch.float64)).reshape(2, 2, 8, 8)
    out = net(x, torch.tensor([3.0, 700.0], dtype=torch.float64)).sample
    out.square().mean().backward()
    grad = torch.cat([p.grad.flatten() for p in net.parameters()])
    flat = out.flatten()
    print(channels, down, groups, head)
    print("  parameters", grad.numel(), "sum|out| %.6f" % flat.abs().sum().item(), "|grad| %.6f" % grad.norm().item())
    print("  out[0, 37, 101, 200, 255] =", ", ".join("%.6f" % flat[i].item() for i in (0, 37, 101, 200, 255)))
