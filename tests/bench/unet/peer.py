"""The peer of the U-Net benchmark: diffusers' UNet2DModel, driven line by line so that it can alternate with Perrin's.

Reads one JSON object a line from stdin, answers one a line on stdout:
  {"do": "export", "model": M, "file": F}                     weights under Perrin's names, x, t and the output for them
  {"do": "check-samples", "model": M, "samples": F}   DDIM from F's noise with the exported weights, against F's samples
  {"do": "train"|"forward"|"sample", "model": M, "variant": V, "steps": N}   -> {"ms": [one number a step]}
Models: small, large (MODELS below). Variants: eager, channels-last, bf16, compile, compile-bf16; the first is as shipped.
"""
import json
import sys
import time

import torch
from diffusers import DDIMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

MODELS = {
    "small": dict(channels=(16, 32), batch=8, groups=8, down=("DownBlock2D", "AttnDownBlock2D")),
    "large": dict(channels=(32, 64, 128), batch=32, groups=32,
                  down=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")),
}
HEAD_CHANNELS = 8  # UNet2DModel's default
SAMPLING_STEPS = 10


def build(name):
    torch.manual_seed(0)
    m = MODELS[name]
    up = tuple(block.replace("Down", "Up") for block in reversed(m["down"]))
    return UNet2DModel(sample_size=32, in_channels=1, out_channels=1, block_out_channels=m["channels"],
                       layers_per_block=2, down_block_types=m["down"], up_block_types=up,
                       norm_num_groups=m["groups"], attention_head_dim=HEAD_CHANNELS)


def inputs(name):
    g = torch.Generator().manual_seed(1)
    batch = MODELS[name]["batch"]
    return (torch.randn(batch, 1, 32, 32, generator=g), torch.randint(0, 1000, (batch,), generator=g),
            torch.randn(batch, 1, 32, 32, generator=g))


def perrin_names(state):
    """diffusers' names -> ours: the same, but for the three projections of an attention, which are one tensor here."""
    result = {}
    for name, value in state.items():
        stem, _, kind = name.rpartition(".")
        if stem.endswith((".to_k", ".to_v")):
            continue
        if stem.endswith(".to_q"):
            parts = [state[f"{stem[:-1]}{p}.{kind}"] for p in "qkv"]
            name, value = f"{stem[:-4]}to_qkv.{kind}", torch.cat(parts)
        result[name] = value.detach().contiguous().clone()
    return result


def export(model, file):
    net = build(model).eval()
    x, t, target = inputs(model)
    out = net(x, t).sample
    ((out - target) ** 2).mean().backward()
    tensors = {"weight." + k: v for k, v in perrin_names(net.state_dict()).items()}
    grads = perrin_names({k: p.grad for k, p in net.named_parameters()})
    tensors |= {"grad." + k: v for k, v in grads.items()}
    tensors |= {"x": x, "t": t.float(), "target": target, "output": out.detach()}
    save_file(tensors, file)
    return {"parameters": sum(p.numel() for p in net.parameters())}


def ddim(call, x):
    """What DDIMPipeline does with a batch, without its progress bar and its conversion to pictures."""
    scheduler = DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(SAMPLING_STEPS)
    for t in scheduler.timesteps:
        x = scheduler.step(call(x, t).sample, t, x).prev_sample
    return x


def check_samples(model, file):
    tensors = load_file(file)
    with torch.no_grad():
        found = ddim(build(model).eval(), tensors["noise"])
    return {"difference": (found - tensors["samples"]).abs().max().item(), "largest": found.abs().max().item()}


class Runner:
    def __init__(self, model, variant, training):
        self.net = build(model).train(training)
        self.x, self.t, self.target = inputs(model)
        self.bf16 = variant.endswith("bf16")
        if variant != "eager":
            self.net = self.net.to(memory_format=torch.channels_last)
            self.x = self.x.to(memory_format=torch.channels_last)
        self.call = torch.compile(self.net) if variant.startswith("compile") else self.net
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-4, fused=variant != "eager")

    def forward(self):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return self.call(self.x, self.t).sample

    def sample(self):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return ddim(self.call, torch.randn_like(self.x))

    def train(self):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            out = self.call(self.x, self.t).sample
            loss = torch.nn.functional.mse_loss(out.float(), self.target)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss


CHECKS = {"export": lambda r: export(r["model"], r["file"]),
          "check-samples": lambda r: check_samples(r["model"], r["samples"])}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_flush_denormal(True)
    runners = {}
    for line in sys.stdin:
        r = json.loads(line)
        if r["do"] in CHECKS:
            print(json.dumps(CHECKS[r["do"]](r)), flush=True)
            continue
        key = (r["model"], r["variant"], r["do"])
        begin, ms = time.perf_counter(), []
        first = key not in runners
        if first:
            runners[key] = Runner(r["model"], r["variant"], r["do"] == "train")
            for _ in range(3):
                getattr(runners[key], r["do"])()
        warm_up = time.perf_counter() - begin
        for _ in range(r["steps"]):
            begin = time.perf_counter()
            getattr(runners[key], r["do"])()
            ms.append(1e3 * (time.perf_counter() - begin))
        print(json.dumps({"ms": ms, "warm_up_s": warm_up if first else 0}), flush=True)


if __name__ == "__main__":
    main()
