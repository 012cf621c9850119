"""Writes data/*.safetensors: inputs of losses, and the values and gradients that the peers' own classes give for them.

    pip install torch==2.11.0 torchvision==0.26.0 diffusers==0.42.1 transformers==5.24.0 safetensors==0.8.0 numpy
    pip install scipy==1.17.1 tqdm && pip install --no-deps lpips==0.1.4
    python peers.py

lpips        lpips.LPIPS(net="vgg") with the heads that the package ships, in the file under the names of its state
             dictionary. In the place of the trunk stands a slice of given feature maps, of VGG16's widths, 2 x 2
             positions each, of which the data's are zero at one: normalisation, heads and averages are the package's
             own. "baseline": lpips=False.
lpips_thin   the package's whole forward pass, scaling, trunk and heads, on its own slices of a VGG16 of torchvision
             with a 16th of the widths and random weights, which are in the file under torchvision's names and open as
             Perrin's extractor vgg.
clip         transformers' CLIPModel, two layers of width 16, random weights: the embeddings before normalisation, the
             loss, the cross-entropies of each row of its two matrices of logits, and gradients. Twice: with CLIP's
             initial temperature and with another.
kl           diffusers' DiagonalGaussianDistribution.kl(), the sum over a latent, of random moments; and the first
             stage's total of latent diffusion, |x - x_hat| and the KL as sums over the batch by B, with a weight of
             1e-6.

Everything is float32, inputs of lpips rounded to half precision. Seed 0.
"""
import json
import pathlib

import lpips
import torch
import torch.nn.functional as F
import torchvision
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

DATA = pathlib.Path(__file__).parent / "data"
WIDTHS = [64, 128, 256, 512, 512]


def save(name, tensors, metadata=None):
    file = DATA / (name + ".safetensors")
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, file, metadata)
    print(f"{name}: {file.stat().st_size} bytes, out {tensors['out'].flatten().tolist()}")


def heads(net):
    return {k: v for k, v in net.state_dict().items() if k.startswith("lin") and not k.startswith("lins")}


class Given(torch.nn.Module):
    def forward(self, x):
        return x.split(WIDTHS, 1)


def distance(net, x, reconstruction):
    reconstruction = reconstruction.clone().requires_grad_()
    out = net(reconstruction, x).flatten()
    out.sum().backward()
    return out, reconstruction.grad


def lpips_heads():
    def given(**kwargs):
        net = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False, **kwargs)
        net.net, net.scaling_layer = Given(), torch.nn.Identity()
        return net
    net = given()
    maps = [torch.randn(2, sum(WIDTHS), 2, 2).relu().half().float() for _ in range(2)]
    maps[1][0, :64, 1, 0] = 0  # of x alone: the package's gradient at a position of zeros is no number
    out, gradient = distance(net, maps[1], maps[0])
    baseline, _ = distance(given(lpips=False), maps[1], maps[0])
    save("lpips", heads(net) | {"reconstruction": maps[0].half(), "x": maps[1].half(), "out": out,
                                "gradient": gradient, "baseline": baseline})


def lpips_thin():
    widths = [w // 16 for w in WIDTHS]
    a, b, c, d, e = widths
    trunk = torchvision.models.VGG(torchvision.models.vgg.make_layers(
        [a, a, "M", b, b, "M", c, c, c, "M", d, d, d, "M", e, e, e, "M"]), num_classes=1)
    for p in trunk.features.parameters():
        p.data = (torch.randn_like(p) * ((2 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)).half().float()
    lpips.pretrained_networks.tv.vgg16 = lambda **kwargs: trunk
    net = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
    net.lins = torch.nn.ModuleList(lpips.lpips.NetLinLayer(w, use_dropout=True) for w in widths).eval()
    for i, lin in enumerate(net.lins):
        setattr(net, f"lin{i}", lin)
        lin.model[1].weight.data = torch.rand_like(lin.model[1].weight) / 10
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    reconstruction = (x + 0.3 * torch.randn_like(x)).clamp(-1, 1).half().float()
    x = x.half().float()
    out, gradient = distance(net, x, reconstruction)
    weights = {"features." + k: v.half() for k, v in trunk.features.state_dict().items()}
    save("lpips_thin", heads(net) | weights | {"reconstruction": reconstruction.half(), "x": x.half(), "out": out,
                                               "gradient": gradient},
         {"perrin.extractor": "vgg", "perrin.extractor.config": json.dumps({"channels": widths})})


def clip(name, log_scale):
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(text_config=tower | {"vocab_size": 50, "max_position_embeddings": 7, "eos_token_id": 49},
                        vision_config=tower | {"image_size": 8, "patch_size": 4}, projection_dim=12)
    net = CLIPModel(config).eval()
    if log_scale is not None:
        net.logit_scale.data.fill_(log_scale)
    kept = {}
    for key, layer in (("embedding", net.visual_projection), ("condition", net.text_projection)):
        layer.register_forward_hook(lambda _, __, y, key=key: (y.retain_grad(), kept.update({key: y}))[0])
    ids = torch.randint(0, 49, (6, 7))
    ids[:, -1] = 49
    out = net(input_ids=ids, pixel_values=torch.randn(6, 3, 8, 8), return_loss=True)
    out.loss.backward()
    own = torch.arange(6)
    rows = [F.cross_entropy(m, own, reduction="none") for m in (out.logits_per_image, out.logits_per_text)]
    right = [(m.argmax(1) == own).float().mean() for m in (out.logits_per_image, out.logits_per_text)]
    save(name, kept | {"out": (rows[0] + rows[1]) / 2, "loss": out.loss.reshape(1),
                       "log_scale": net.logit_scale.reshape(1), "accuracy": ((right[0] + right[1]) / 2).reshape(1),
                       "gradient.embedding": kept["embedding"].grad, "gradient.condition": kept["condition"].grad,
                       "gradient.log_scale": net.logit_scale.grad.reshape(1)})


def kl():
    mean, log_variance = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2)
    posterior = DiagonalGaussianDistribution(torch.cat([mean, log_variance], 1))
    x = torch.rand(3, 3, 8, 8) * 2 - 1
    reconstruction = x + 0.1 * torch.randn_like(x)
    total = ((x - reconstruction).abs().sum() + 1e-6 * posterior.kl().sum()) / len(x)
    save("kl", {"posterior_mean": mean, "posterior_log_variance": log_variance, "out": posterior.kl(), "x": x,
                "reconstruction": reconstruction, "total": total.reshape(1)})


for f in (lpips_heads, lpips_thin, lambda: clip("clip", None), lambda: clip("clip_sharp", 4.0), kl):
    torch.manual_seed(0)
    f()
