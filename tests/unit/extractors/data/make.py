"""Writes the TorchScript files of torchscript_test.cpp beside this script, with torch 2.11.0: mean.pt gives a dictionary,
tuple.pt a named tuple, one.pt a tensor, wrong.pt a layer without the batch; keys.pt fills its dictionary key by key,
loop.pt gives one in a loop; layers.pt has what networks of torchvision are scripted with, traced.pt is the same by
torch.jit.trace. layers.txt keeps what torch
gives for both on the images sin(0), sin(1), ... [2, 3, 8, 8]."""
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


class Keys(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        result: Dict[str, torch.Tensor] = {}
        result["doubled"] = 2 * x
        result["mean"] = x.mean([2, 3])
        return result


class Loop(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        result: Dict[str, torch.Tensor] = {}
        for i in range(2):
            result[str(i)] = x
        return result


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1, bias=False), torch.nn.BatchNorm2d(8),
                                        torch.nn.ReLU(inplace=True), torch.nn.MaxPool2d(2))
        self.blocks = torch.nn.ModuleList([torch.nn.Conv2d(8, 8, 1), torch.nn.GroupNorm(2, 8), torch.nn.GELU()])
        self.attention = Attention()
        self.norm = torch.nn.LayerNorm(8)
        self.drop = torch.nn.Dropout(0.5)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.interpolate(self.stem(x), size=[4, 4], mode="bilinear", align_corners=False)
        for block in self.blocks:
            x = x + block(x)
        y = self.norm(self.attention(x.flatten(2).transpose(1, 2)))
        return torch.nn.functional.softmax(self.head(self.drop(y.mean(1))), dim=1)


torch.manual_seed(0)
network = Network().eval()
images = torch.sin(torch.arange(2 * 3 * 8 * 8.0)).view(2, 3, 8, 8)
(HERE / "layers.txt").write_text(" ".join(f"{v:.8g}" for v in network(images).flatten().tolist()) + "\n")
nets = [(name, torch.jit.script(net)) for name, net in
        (("mean", Dictionary()), ("tuple", Tuple()), ("one", One()), ("wrong", Wrong()), ("keys", Keys()),
         ("loop", Loop()), ("layers", network))]
for name, net in nets + [("traced", torch.jit.trace(network, images, check_trace=False))]:
    buffer = io.BytesIO()
    torch.jit.save(net, buffer)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(HERE / f"{name}.pt", "w") as kept:
        for entry in made.infolist():
            if not entry.filename.endswith(".debug_pkl"):  # paths of sources
                kept.writestr(zipfile.ZipInfo(entry.filename), made.read(entry))
