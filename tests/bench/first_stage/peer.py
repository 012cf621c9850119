"""One training step of `autoencoder-kl` against diffusers' AutoencoderKL with the same weights, forward and backward.

peer.py PROGRAM THREADS REPEATS [--compile] starts PROGRAM (first_stage_bench), compares output and gradients, then lets
the two take turns, the peer as shipped and channels-last (--compile: and compiled), and prints one JSON object:
  {"perrin": {"median", "quartiles", ..}, "eager": .., "channels-last": .., "ratio_shipped", "ratio_tuned"}
"""
import json
import pathlib
import sys
import tempfile
import time

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from turns import PERRIN, Worker, alternate, arguments

CHANNELS, GROUPS, SHAPE = (32, 64, 64), 32, (8, 3, 32, 32)


def build():
    torch.manual_seed(0)
    n = len(CHANNELS)
    return AutoencoderKL(block_out_channels=CHANNELS, layers_per_block=2, norm_num_groups=GROUPS, latent_channels=4,
                         down_block_types=["DownEncoderBlock2D"] * n, up_block_types=["UpDecoderBlock2D"] * n)


def data():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


class Runner:
    def __init__(self, variant):
        self.net, self.x = build(), data()
        if variant != "eager":
            self.net = self.net.to(memory_format=torch.channels_last)
            self.x = self.x.to(memory_format=torch.channels_last)
        self.call = torch.compile(self.forward) if variant == "compile" else self.forward

    def forward(self, x):
        return self.net.decode(self.net.encode(x).latent_dist.mode()).sample

    def step(self):
        self.net.zero_grad()
        out = self.call(self.x)
        torch.nn.functional.mse_loss(out, self.x).backward()
        return out.detach()

    def timed(self):
        begin = time.perf_counter()
        self.step()
        return 1e3 * (time.perf_counter() - begin)


def export(file):
    runner = Runner("eager")
    tensors = {"x": runner.x, "output": runner.step()}
    for name, p in runner.net.named_parameters():
        tensors |= {"weight." + name: p.detach(), "grad." + name: p.grad}
    save_file(tensors, file)
    return sum(p.numel() for p in runner.net.parameters())


def main():
    program, threads, repeats, variants = arguments()
    ours = Worker(PERRIN, program, threads)
    with tempfile.TemporaryDirectory() as folder:
        parameters = export(folder + "/weights")
        found = ours.ask(do="load", file=folder + "/weights", channels=CHANNELS, groups=GROUPS)
    if found["output"] > 1e-4 or found["gradient"] > 1e-3 or found["parameters"] != parameters:
        raise SystemExit(f"the two autoencoders differ ({found}): no timing would mean anything")
    result = alternate({"perrin": ours} | {v: Runner(v) for v in variants}, repeats)
    ours.close()
    print(json.dumps(result | {"parameters": parameters, "output_apart": found["output"], "gradient_apart": found["gradient"]}))


if __name__ == "__main__":
    main()
