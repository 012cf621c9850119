"""Writes data/*.safetensors: small networks of the peers with random weights, their inputs and what they give.

    pip install torch==2.11.0 diffusers==0.42.1 safetensors==0.8.0 einops==0.8.2 numpy
    git clone https://github.com/baofff/U-ViT && git -C U-ViT checkout ce551708dc9c
    git clone https://github.com/NVlabs/edm2 && git -C edm2 checkout 4bf8162f601b
    python peers.py U-ViT edm2

dit, dit_cross   diffusers' DiTTransformer2DModel; two changes make it the authors' network: one embedder for all blocks,
                 as in their checkpoints, and timestep frequencies without diffusers' downscale_freq_shift = 1.
                 dit_cross has one such block with cross_attention_dim given.
uvit, uvit_t2i   libs/uvit.py and libs/uvit_t2i.py of the authors' repository.
edm2             training/networks_edm2.py of the authors' repository, run and not copied (CC BY-NC-SA 4.0).

Weights are rounded to half precision, so that they are stored exactly in half the space; the rest is float32.
"""
import pathlib
import sys

import torch
from diffusers import DiTTransformer2DModel
from diffusers.models.attention import BasicTransformerBlock
from safetensors.torch import save_file

sys.path[:0] = sys.argv[1:3]
import libs.uvit
import libs.uvit_t2i
from training.networks_edm2 import UNet

DATA = pathlib.Path(__file__).parent / "data"


def randomised(net, deviation):
    with torch.no_grad():
        for name, p in net.named_parameters():
            centre = 1 if "norm" in name and name.endswith("weight") and p.dim() == 1 else 0
            p.copy_((centre + deviation(p) * torch.randn(p.shape)).half().float())
    return net.eval()


def save(name, net, inputs, out, skip=()):
    tensors = {k: v.half() for k, v in net.named_parameters() if not any(s in k for s in skip)}
    tensors |= {k: v for k, v in net.named_buffers() if "freqs" in k or "phases" in k}
    tensors |= {"in." + k: v for k, v in inputs.items()} | {"out": out}
    file = DATA / (name + ".safetensors")
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, file)
    print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters, max|out| {out.abs().max():.4f}, "
          f"{file.stat().st_size} bytes")


def fan_in(p):
    return (1 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1


def dit_peer(in_channels, out_channels, layers):
    return DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=16, in_channels=in_channels,
                                 out_channels=out_channels, num_layers=layers, sample_size=8, patch_size=2,
                                 num_embeds_ada_norm=5, norm_eps=1e-6)


def one_embedder(net):
    shared = net.transformer_blocks[0].norm1.emb
    shared.time_proj.downscale_freq_shift = 0
    for block in net.transformer_blocks:
        block.norm1.emb = shared
    return shared


def dit():
    net = randomised(dit_peer(3, 6, 2), fan_in)
    embedder = one_embedder(net)
    x, t, label = torch.randn(2, 3, 8, 8), torch.tensor([3.0, 700.0]), torch.tensor([4, 1])
    vector = embedder.class_embedder.embedding_table(label)
    save("dit", net, {"x": x, "t": t, "vector": vector}, net(x, t, label).sample, ["class_embedder"])


def dit_cross():
    net = dit_peer(5, 3, 1)
    net.transformer_blocks[0] = BasicTransformerBlock(
        32, 2, 16, activation_fn="gelu-approximate", num_embeds_ada_norm=5, attention_bias=True,
        norm_type="ada_norm_zero", norm_elementwise_affine=False, norm_eps=1e-6, cross_attention_dim=12)
    net = randomised(net, fan_in)
    embedder = one_embedder(net)
    x, concat, sequence = torch.randn(2, 3, 8, 8), torch.randn(2, 2, 8, 8), torch.randn(2, 5, 12)
    t, label = torch.tensor([31.0, 999.0]), torch.tensor([0, 2])
    block = net.transformer_blocks[0]
    block.forward = lambda h, f=block.forward, **kwargs: f(h, **(kwargs | {"encoder_hidden_states": sequence}))
    vector = embedder.class_embedder.embedding_table(label)
    out = net(torch.cat([x, concat], 1), t, label).sample
    save("dit_cross", net, {"x": x, "t": t, "vector": vector, "sequence": sequence, "concat": concat}, out,
         ["class_embedder"])


def uvit():
    net = randomised(libs.uvit.UViT(img_size=8, patch_size=2, in_chans=3, embed_dim=32, depth=4, num_heads=2,
                                    mlp_ratio=2, num_classes=5), fan_in)
    x, t, label = torch.randn(2, 3, 8, 8), torch.tensor([3.0, 700.0]), torch.tensor([4, 1])
    save("uvit", net, {"x": x, "t": t, "vector": net.label_emb(label)}, net(x, t, label), ["label_emb"])


def uvit_t2i():
    net = randomised(libs.uvit_t2i.UViT(img_size=8, patch_size=4, in_chans=2, embed_dim=32, depth=2, num_heads=2,
                                        clip_dim=12, num_clip_token=5), fan_in)
    x, t, sequence = torch.randn(2, 2, 8, 8), torch.tensor([31.0, 999.0]), torch.randn(2, 5, 12)
    save("uvit_t2i", net, {"x": x, "t": t, "sequence": sequence}, net(x, t, sequence))


def edm2():
    net = randomised(UNet(img_resolution=8, img_channels=2, label_dim=5, model_channels=8, channel_mult=[1, 2],
                          num_blocks=1, attn_resolutions=[4], channels_per_head=8), lambda p: 1)
    x, t = torch.randn(2, 2, 8, 8), torch.tensor([-0.8, 0.6])
    vector = torch.eye(5)[[4, 1]]
    save("edm2", net, {"x": x, "t": t, "vector": vector}, net(x, t, vector))


def counts():
    with torch.device("meta"):
        nets = {"U-ViT-S/2, CIFAR-10": libs.uvit.UViT(img_size=32, patch_size=2, embed_dim=512, depth=12, num_heads=8),
                "U-ViT-M/4, ImageNet 64": libs.uvit.UViT(img_size=64, patch_size=4, embed_dim=768, depth=16,
                                                         num_heads=12, num_classes=1000)}
        for n in (128, 192, 256, 320, 384, 448):
            nets[f"EDM2, {n} channels"] = UNet(img_resolution=64, img_channels=4, label_dim=1000, model_channels=n)
    for name, net in nets.items():
        print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters")


torch.manual_seed(0)
with torch.no_grad():
    for f in (dit, dit_cross, uvit, uvit_t2i, edm2, counts):
        f()
