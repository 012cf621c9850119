"""Writes the files of vq_parity_test.cpp beside this script: diffusers' VQModel with random weights, what it gives, and
what taming-transformers' VectorQuantizer2 gives in its quantiser's place in training.

Made with diffusers 0.42.1, taming-transformers-rom1504 0.0.6, einops 0.8.1, torch 2.11.0 and safetensors 0.8.0; each
file's metadata says so. All in float32. vq_model.safetensors is laid out as diffusers saves the model.
"""
import pathlib
from importlib.metadata import version

import torch
from diffusers import VQModel
from safetensors.torch import save_file
from taming.modules.vqvae.quantize import VectorQuantizer2

HERE = pathlib.Path(__file__).parent
VERSIONS = {p: version(p) for p in ("diffusers", "taming-transformers-rom1504", "einops", "torch", "safetensors")}

torch.manual_seed(0)
net = VQModel(in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * 2,
              up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(8, 16), layers_per_block=1,
              latent_channels=3, norm_num_groups=4, num_vq_embeddings=24)
with torch.no_grad():
    for name, p in net.named_parameters():
        fan_in = p[0].numel() if p.dim() > 1 else 1
        p.copy_(torch.randn_like(p) * (0.2 if p.dim() < 2 else fan_in ** -0.5))
        if "norm" in name and name.endswith("weight"):
            p.add_(1)
    net.quantize.embedding.weight.normal_()
save_file({k: p.detach().contiguous() for k, p in net.state_dict().items()}, HERE / "vq_model.safetensors", VERSIONS)

x = torch.randn(2, 3, 16, 16).requires_grad_(True)
h = net.encode(x).latents
tensors = {"x": x.detach(), "latents": h.detach(), "out": net.decode(h).sample.detach(),
           "quantised": net.quantize(h)[0].detach(), "from_quantised": net.decode(net.quantize(h)[0]).sample.detach()}

peer = VectorQuantizer2(24, 3, beta=0.25, legacy=False)
peer.embedding.weight.data.copy_(net.quantize.embedding.weight.data)
z, loss, _ = peer(h)
out = net.decode(z, force_not_quantize=True).sample
(loss + out.square().mean()).backward()
tensors |= {"loss": loss.detach(), "codebook_gradient": peer.embedding.weight.grad, "x_gradient": x.grad,
            "conv_gradient": net.quant_conv.weight.grad}
save_file({k: t.contiguous() for k, t in tensors.items()}, HERE / "vq_expected.safetensors", VERSIONS)
used = peer(h)[2][2].unique().numel()
print("parameters", sum(p.numel() for p in net.parameters()), "codes in use", used, "loss", loss.item())
