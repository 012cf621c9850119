"""Writes patch_gan.safetensors beside this script: taming-transformers' discriminator with random weights, and its
losses.

Made with taming-transformers-rom1504 0.0.6, einops 0.8.1, torch 2.11.0 and safetensors 0.8.0; the file's metadata says
so. A decoder of one 1 x 1 convolution, `last_layer`, makes the reconstruction from `h`; the terms before the
adversarial one are the mean absolute error. All in float32.
"""
import pathlib
import types
from importlib.metadata import version

import torch
from safetensors.torch import save_file
from taming.modules.discriminator.model import NLayerDiscriminator, weights_init
from taming.modules.losses.vqperceptual import VQLPIPSWithDiscriminator, hinge_d_loss, vanilla_d_loss

HERE = pathlib.Path(__file__).parent
VERSIONS = {p: version(p) for p in ("taming-transformers-rom1504", "einops", "torch", "safetensors")}

torch.manual_seed(0)
net = NLayerDiscriminator(input_nc=3, ndf=4, n_layers=3).apply(weights_init)
with torch.no_grad():
    for p in net.parameters():
        p.mul_(4).add_(0.02 * torch.randn_like(p))
x = torch.rand(2, 3, 32, 32) * 2 - 1
h = torch.randn(2, 4, 32, 32)
last_layer = (0.4 * torch.randn(3, 4, 1, 1)).requires_grad_(True)
tensors = {"weights." + k: p.detach().clone() for k, p in net.named_parameters()}
tensors |= {"x": x, "h": h, "last_layer": last_layer.detach().clone()}

reconstruction = torch.nn.functional.conv2d(h, last_layer)
terms = (x - reconstruction).abs().mean()
g_loss = -net(reconstruction).mean()
weight = VQLPIPSWithDiscriminator.calculate_adaptive_weight(types.SimpleNamespace(discriminator_weight=1.0), terms,
                                                            g_loss, last_layer=last_layer)
tensors |= {"logits": net(x).detach(), "g_loss": g_loss.detach(), "weight": weight}
tensors["last_layer_gradient"] = torch.autograd.grad(weight * g_loss, last_layer)[0]

for name, loss in (("hinge", hinge_d_loss), ("vanilla", vanilla_d_loss)):
    net.zero_grad()
    d_loss = loss(net(x), net(reconstruction.detach()))
    d_loss.backward()
    tensors[name] = d_loss.detach()
    tensors |= {f"{name}.{k}": p.grad.clone() for k, p in net.named_parameters()}
save_file(tensors, HERE / "patch_gan.safetensors", VERSIONS)
print({k: v.item() for k, v in tensors.items() if v.numel() == 1})
