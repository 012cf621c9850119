"""Writes the TorchScript files of torchscript_test.cpp beside this script, with torch 2.11.0: mean.pt gives a dictionary,
tuple.pt a named tuple, one.pt a tensor, wrong.pt a layer without the batch."""
import io
import pathlib
import zipfile
from typing import Dict, NamedTuple

import torch

HERE = pathlib.Path(__file__).parent


class Layers(NamedTuple):
    doubled: torch.Tensor
    mean: torch.Tensor


class Dictionary(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor([3.0]))

    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        y = x * self.scale
        return {"tripled": y, "mean": y.mean([2, 3])}


class Tuple(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> Layers:
        return Layers(doubled=2 * x, mean=x.mean([2, 3]))


class One(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 2, 1)
        with torch.no_grad():
            self.conv.weight.copy_(torch.arange(6.0).view(2, 3, 1, 1))
            self.conv.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Wrong(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum()


for name, net in (("mean", Dictionary()), ("tuple", Tuple()), ("one", One()), ("wrong", Wrong())):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(net), buffer)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(HERE / f"{name}.pt", "w") as kept:
        for entry in made.infolist():
            if not entry.filename.endswith(".debug_pkl"):  # paths of sources
                kept.writestr(zipfile.ZipInfo(entry.filename), made.read(entry))
