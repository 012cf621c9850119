"""Writes vgg.safetensors beside this script: a thin VGG of torchvision's with random weights, and what it gives.

Made with torchvision 0.26.0, torch 2.11.0 and safetensors 0.8.0; the file's metadata says so. torchvision's own widths make
138 million weights, so make_layers builds 8 to 16 channels, and the classifier has the same modules with 16 in place of
4,096. Weights are rounded to half precision before the model runs, in float32, so that the file holds them exactly.
"""
import json
import pathlib

import safetensors
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision.models.vgg import VGG, make_layers

HERE = pathlib.Path(__file__).parent
WIDTHS, CONVOLUTIONS, HIDDEN, CLASSES = (8, 8, 12, 16, 16), (2, 2, 3, 3, 3), 16, 5

torch.manual_seed(0)
plan = [entry for width, n in zip(WIDTHS, CONVOLUTIONS) for entry in [width] * n + ["M"]]
net = VGG(make_layers(plan), num_classes=CLASSES, init_weights=False)
net.classifier = nn.Sequential(nn.Linear(WIDTHS[-1] * 7 * 7, HIDDEN), nn.ReLU(True), nn.Dropout(),
                               nn.Linear(HIDDEN, HIDDEN), nn.ReLU(True), nn.Dropout(), nn.Linear(HIDDEN, CLASSES))
with torch.no_grad():
    for p in net.parameters():
        deviation = 0.2 if p.dim() < 2 else (2 / p[0].numel()) ** 0.5
        p.copy_((deviation * torch.randn(p.shape)).half().float())
net.eval()

names = [f"relu{b + 1}_{i + 1}" for b, n in enumerate(CONVOLUTIONS) for i in range(n)]
rectifiers = [m for m in net.features if isinstance(m, nn.ReLU)]
outputs = {}
for name, module in list(zip(names, rectifiers)) + [("features", net.classifier[4])]:
    module.register_forward_hook(lambda _, __, out, name=name: outputs.__setitem__(name, out.detach().clone()))

x = (torch.rand(1, 3, 40, 33) * 2 - 1).requires_grad_(True)
normalise = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
logits = net(normalise((x + 1) / 2))
logits.square().mean().backward()
outputs["logits"] = logits.detach()

config = {"channels": WIDTHS, "convolutions": CONVOLUTIONS, "classes": CLASSES, "hidden": HIDDEN}
metadata = {m.__name__: m.__version__ for m in (torchvision, torch, safetensors)}
metadata |= {"perrin.extractor": "vgg", "perrin.extractor.config": json.dumps(config)}
tensors = {k: p.detach().half() for k, p in net.named_parameters()}
tensors |= {"in.x": x.detach(), "in.x_gradient": x.grad} | {"out." + k: v for k, v in outputs.items()}
save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / "vgg.safetensors", metadata)
print(sum(p.numel() for p in net.parameters()), "parameters;", {k: round(v.abs().max().item(), 3) for k, v in outputs.items()})
print("vgg16:", sum(p.numel() for p in torchvision.models.vgg16().parameters()), "features:",
      sum(p.numel() for p in torchvision.models.vgg16().features.parameters()))
