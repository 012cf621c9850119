"""Writes inception.safetensors beside this script: what torchvision's inception_v3 and pytorch-fid's variant of it give.

Made with torchvision 0.26.0, pytorch-fid 0.3.0, torch 2.11.0 and safetensors 0.8.0; the file's metadata says so. Their 27
million weights are not in the file: `numbers` makes them, and the images, from names; inception_parity_test.cpp has the
same function. Layers before the features are means over the pixels.
"""
import pathlib

import numpy
import safetensors
import torch
import torchvision
from pytorch_fid.inception import FIDInceptionA, FIDInceptionC, FIDInceptionE_1, FIDInceptionE_2
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def numbers(name, shape):
    """In [-1, 1): 32 bits of a hash of the name (FNV-1a) and the position."""
    seed = 2166136261
    for c in name.encode():
        seed = ((seed ^ c) * 16777619) & 0xFFFFFFFF
    v = (numpy.arange(numpy.prod(shape, dtype=int), dtype=numpy.uint64) + seed) & 0xFFFFFFFF
    for multiplier, shift in ((2654435761, 15), (2246822519, 13)):
        v = (v * multiplier) & 0xFFFFFFFF
        v ^= v >> shift
    return torch.from_numpy(v.astype(numpy.float64) / 2**31 - 1).view(*shape)


def value(name, shape):
    u = numbers(name, shape)
    if name.endswith("bn.weight"):
        return 1 + 0.2 * u
    if name.endswith("running_var"):
        return 1 + 0.5 * u
    if len(shape) == 1:
        return 0.2 * u
    fan_in = numpy.prod(shape[1:])
    return u * ((3 if name.startswith("fc") else 6) / fan_in) ** 0.5


def fid():
    net = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    net.Mixed_5b = FIDInceptionA(192, pool_features=32)
    net.Mixed_5c = FIDInceptionA(256, pool_features=64)
    net.Mixed_5d = FIDInceptionA(288, pool_features=64)
    net.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
    net.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
    net.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
    net.Mixed_7b = FIDInceptionE_1(1280)
    net.Mixed_7c = FIDInceptionE_2(2048)
    return net


def run(label, net, x):
    state = {k: value(k, v.shape).float() for k, v in net.state_dict().items() if "num_batches" not in k}
    print(label, net.load_state_dict(state, strict=False), sum(p.numel() for p in net.parameters()), "parameters")
    found = {}
    names = {"maxpool1": "pool1", "maxpool2": "pool2", "Mixed_6e": "mixed_6e", "avgpool": "features", "fc": "logits"}
    for module, name in names.items():
        net.get_submodule(module).register_forward_hook(lambda _, __, out, name=name: found.__setitem__(name, out))
    net.eval()(x)
    return {f"{label}.{k}": v.mean((2, 3)) if v.dim() == 4 else v for k, v in found.items()}


with torch.no_grad():
    torchvisions = torchvision.models.inception_v3(aux_logits=False, weights=None, init_weights=False)
    tensors = run("torchvision", torchvisions, numbers("x", (1, 3, 85, 99)).float())
    resized = torch.nn.functional.interpolate(numbers("x", (1, 3, 40, 32)).float(), size=(96, 96), mode="bilinear",
                                              align_corners=False)
    tensors |= run("fid", fid(), resized)
versions = {m.__name__: m.__version__ for m in (torchvision, torch, safetensors)} | {"pytorch_fid": "0.3.0"}
save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / "inception.safetensors", versions)
print({k: (list(v.shape), round(v.abs().max().item(), 3)) for k, v in tensors.items()})
