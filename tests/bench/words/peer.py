"""Are words followed? diffusers' UNet2DConditionModel and transformers' CLIPTextModel beside a text-to-image experiment on
captioned-shapes: loss on held-out data, what samples show, and what is left of a word in the state at the end token.

peer.py judge PROGRAM EXPERIMENT               what the judges say of true pictures
peer.py loss PROGRAM EXPERIMENT CHECKPOINT     the run's loss by tenth of the schedule, cleanest first
peer.py answers PROGRAM EXPERIMENT CHECKPOINT  what the run's samples show of their captions
peer.py spread PROGRAM EXPERIMENT CHECKPOINT   what its text encoder keeps of each word
peer.py train PROGRAM EXPERIMENT LAW STEPS     all of it of the peer's modules, trained by the same laws; LAW: uniform, min-snr
Options: --count N (pictures judged, 400), --losses N (pictures whose loss counts, 2000), --stop N (end after so many of the
STEPS that the learning rate is made for), --threads N (1), --seed N (0), --out FILE (JSON), --classifier FILE, --set KEY=VALUE of
the experiment. PROGRAM is words_bench. Prints one JSON object.

Judges: shape and colour by experiments/extractors/shapes-classifier.safetensors. The background is the palette's nearest colour to
the median of the border's pixels. The place is where the centroid of what differs from the background lies: in the centre if it
is less than an eighth of the side from the middle on both axes, else on the side of the longer way. Place and background count
where the caption says them.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAX_TOKENS, BATCH = 24, 32
PLACES = ["on the left", "on the right", "at the top", "at the bottom", "in the centre"]
BACKGROUNDS = torch.tensor([255.0, 150.0, 0.0]) / 127.5 - 1  # white, grey, black: all channels equal
HELD_OUT = ["dataset.split=test", "conditioner.drop=0.0"]


class Ours:
    """words_bench on one experiment."""

    def __init__(self, options, *sets):
        command = [options.program, options.experiment, str(options.threads), *(options.set or []), *sets]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        with tempfile.TemporaryDirectory() as folder:
            if request["do"] != "loss":
                request["file"] = folder + "/tensors"
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"{self.process.args[0]} ended without an answer to {request}")
            tensors = {k: v.clone() for k, v in load_file(request["file"]).items()} if "file" in request else {}
        return json.loads(line) | tensors


# ---- judges

def group_norm_silu(t, name, x):
    return F.silu(F.group_norm(x, 8, t[name + ".weight"], t[name + ".bias"]))


def classify(t, x):
    """The shipped classifier (plugins/extractors/resnet_small.cpp), whose class is 8 times the shape plus the colour."""
    conv = lambda name, v, stride=1: F.conv2d(v, t[name + ".weight"], t[name + ".bias"], stride, t[name + ".weight"].shape[-1] // 2)
    x = conv("stem", x)
    for level in range(3):
        name, stride = f"levels.{level}.0.", 1 if level == 0 else 2
        h = group_norm_silu(t, name + "norm1", x)
        y = conv(name + "conv2", group_norm_silu(t, name + "norm2", conv(name + "conv1", h, stride)))
        x = y + (conv(name + "shortcut", h, stride) if name + "shortcut.weight" in t else x)
    return F.linear(group_norm_silu(t, "norm", x).mean((2, 3)), t["logits.weight"], t["logits.bias"]).argmax(1)


def background_of(x):
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, 1:-1, 0], x[:, :, 1:-1, -1]], 2).median(2).values  # [B, 3]
    return (border.unsqueeze(1) - BACKGROUNDS.view(1, 3, 1)).square().sum(2).argmin(1)


def place_of(x):
    side = x.shape[-1]
    away = (x - BACKGROUNDS[background_of(x)].view(-1, 1, 1, 1)).square().sum(1)  # [B, H, W]
    weight = (away > 0.25).float() + 1e-9
    along = (torch.arange(side) + 0.5) / side - 0.5
    dx = (weight * along.view(1, 1, -1)).sum((1, 2)) / weight.sum((1, 2))
    dy = (weight * along.view(1, -1, 1)).sum((1, 2)) / weight.sum((1, 2))
    sides = torch.where(dx.abs() > dy.abs(), (dx > 0).long(), 2 + (dy > 0).long())
    return torch.where(torch.maximum(dx.abs(), dy.abs()) < 1 / 8, 4, sides)


def wilson(k, n, z=1.96):
    if n == 0:
        return [0, 1]
    p, d = k / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z / d * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [round(middle - half, 4), round(middle + half, 4)]


def judged(x, data, options):
    """x: [N, 3, 32, 32] in [-1, 1], of data's captions."""
    x = x.clamp(-1, 1)
    pair = classify({k: v.float() for k, v in load_file(options.classifier).items()}, x)
    says_place = torch.tensor([any(p in c for p in PLACES) for c in data["captions"]])
    says_background = torch.tensor([c.endswith("background") for c in data["captions"]])
    everyone = torch.ones_like(says_place)
    seen = {"shape": (pair // 8 == data["shape"], everyone), "colour": (pair % 8 == data["colour"], everyone),
            "shape and colour": (pair == 8 * data["shape"] + data["colour"], everyone),
            "place": (place_of(x) == data["position"], says_place),
            "background": (background_of(x) == data["background"], says_background)}
    result = {}
    for what, (right, asked) in seen.items():
        k, n = int((right & asked).sum()), int(asked.sum())
        result[what] = {"share": round(k / n, 4), "n": n, "interval": wilson(k, n)}
    return result


# ---- the peer's modules

def tokenizer():
    sys.path.insert(0, str(ROOT / "tests/bench"))
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location("stages_peer", ROOT / "tests/bench/stages/peer.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.tokenizer()


class Peer:
    def __init__(self):
        from diffusers import UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel
        self.tokens, entries = tokenizer()
        self.unet = UNet2DConditionModel(
            in_channels=3, out_channels=3, block_out_channels=(32, 64, 96), layers_per_block=1, norm_num_groups=8,
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            attention_head_dim=(1, 2, 3), cross_attention_dim=128)  # numbers of heads, by its name's history
        self.text = CLIPTextModel(CLIPTextConfig(
            vocab_size=entries, hidden_size=128, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS, bos_token_id=entries - 2, eos_token_id=entries - 1))
        self.unet.to(memory_format=torch.channels_last)
        self.parameters = [*self.unet.parameters(), *self.text.parameters()]

    def ids(self, captions):
        return self.tokens(captions, padding="max_length", max_length=MAX_TOKENS, truncation=True,
                           return_tensors="pt")["input_ids"]

    def __call__(self, x, t, ids):
        return self.unet(x, t, self.text(input_ids=ids).last_hidden_state).sample


def alphas():
    """sqrt(abar) of the cosine schedule (2102.09672 Eq. 17, betas at most 0.999)."""
    f = [math.cos((i / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(1001)]
    betas = torch.tensor([min(1 - f[i + 1] / f[i], 0.999) for i in range(1000)], dtype=torch.float64)
    return (1 - betas).cumprod(0).sqrt()


def train(peer, data, law, steps, stop, seed, out):
    a = alphas()
    s = (1 - a * a).sqrt()
    snr = a * a / (s * s)
    weight = torch.ones_like(a) if law == "uniform" else snr.clamp(max=5) / (snr + 1)
    a, s, weight = a.float(), s.float(), weight.float()
    x_all, ids = data["image"], peer.ids(data["captions"])
    none = peer.ids([""])[0]
    g = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(peer.parameters, lr=1e-3, weight_decay=0.01, fused=True)
    average = [p.detach().clone() for p in peer.parameters]
    order = torch.randperm(len(x_all), generator=g)
    losses = []
    for step in range(1, stop + 1):
        rate = 1e-3 * (step / 200 if step <= 200 else 0.5 * (1 + math.cos(math.pi * (step - 200) / (steps - 200))))
        optimizer.param_groups[0]["lr"] = rate
        rows = order[(torch.arange(BATCH) + (step - 1) * BATCH) % len(order)]
        x0 = x_all[rows] / 127.5 - 1
        text = torch.where(torch.rand(BATCH, 1, generator=g) < 0.1, none, ids[rows])
        t = torch.randint(0, 1000, (BATCH,), generator=g)
        noise = torch.randn(x0.shape, generator=g)
        at, st = a[t].view(-1, 1, 1, 1), s[t].view(-1, 1, 1, 1)
        x = (at * x0 + st * noise).to(memory_format=torch.channels_last)
        loss = (F.mse_loss(peer(x, t, text), at * noise - st * x0, reduction="none").mean((1, 2, 3)) * weight[t]).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        decay = min(0.998, (1 + step) / (10 + step))
        torch._foreach_lerp_(average, [p.detach() for p in peer.parameters], 1 - decay)
        losses.append(loss.item())
        if step % 50 == 0:
            print(f"step {step}: {sum(losses[-50:]) / 50:.4f}", file=sys.stderr, flush=True)
    for p, v in zip(peer.parameters, average):
        p.data.copy_(v)
    if out:
        torch.save({"unet": peer.unet.state_dict(), "text": peer.text.state_dict()}, out + ".pt")


@torch.no_grad()
def sample(peer, captions, seed, scale=3.0, steps=20):
    """dpm++2m with trailing times, denoised values clipped, classifier-free guidance: the experiment's."""
    a = alphas()
    s = (1 - a * a).sqrt()
    times = [round(1000 - i * 1000 / steps) - 1 for i in range(steps)]
    g, all_x = torch.Generator().manual_seed(seed), []
    for first in range(0, len(captions), 50):
        part = captions[first:first + 50]
        text = peer.text(input_ids=torch.cat([peer.ids(part), peer.ids([""]).expand(len(part), -1)])).last_hidden_state
        x, before, l_before = torch.randn((len(part), 3, 32, 32), generator=g), None, None
        for i, t in enumerate(times):
            at, st = a[t].item(), s[t].item()
            v = peer.unet(torch.cat([x, x]), torch.full((2 * len(part),), t), text).sample
            c, u = (at * torch.cat([x, x]) - st * v).chunk(2)
            d = (u + scale * (c - u)).clamp(-1, 1)
            if i + 1 == steps:
                x = d
                break
            an, sn = a[times[i + 1]].item(), s[times[i + 1]].item()
            l, ln = math.log(at / st), math.log(an / sn)
            e = d
            if before is not None:
                r = (l - l_before) / (ln - l)
                e = d + (d - before) / (2 * r)
            k = sn / st
            x, before, l_before = k * x + (an - k * at) * e, d, l
        all_x.append(x)
    return torch.cat(all_x)


def spread(peer):
    """How far the state at the end token differs between captions that differ in one word: deviation over the words, mean over
    the channels, of a state whose deviation is about 1."""
    base = {"colour": "red", "shape": "circle", "place": "left", "background": "white"}
    words = {"colour": ["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"],
             "shape": ["circle", "square", "triangle", "cross", "star", "ring"], "place": ["left", "right"],
             "background": ["white", "grey", "black"]}
    found = {}
    for what, choices in words.items():
        captions = ["a large {colour} {shape} on the {place} of a {background} background".format(**base | {what: w})
                    for w in choices]
        with torch.no_grad():
            states = peer.text(input_ids=peer.ids(captions)).last_hidden_state[:, 12]  # 11 words behind the start token
        found[what] = round(states.std(0).mean().item(), 4)
    return found


# ---- the commands

def by_tenth(loss, t):
    tenth = (t.long() * 10 // 1000).clamp(max=9)
    return [round(float(loss[tenth == i].mean()), 4) for i in range(10)]


def held_out(options):
    ours = Ours(options, *HELD_OUT, "timesteps={use=\"systematic\"}", "weighting={use=\"uniform\"}")
    return ours, ours.ask(do="validation", count=options.losses)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=["loss", "answers", "spread", "train", "judge"])
    parser.add_argument("program")
    parser.add_argument("experiment")
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--losses", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stop", type=int, default=0)
    parser.add_argument("--images", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("--classifier", default=str(ROOT / "experiments/extractors/shapes-classifier.safetensors"))
    parser.add_argument("--set", action="append")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    result = {"command": options.command, "rest": options.rest}
    if options.command == "judge":
        data = Ours(options, *HELD_OUT).ask(do="data", count=options.count)
        result["answers"] = judged(data["image"] / 127.5 - 1, data, options)
    if options.command == "loss":
        ours, shown = held_out(options)
        loss = torch.tensor(ours.ask(do="loss", checkpoint=options.rest[0], count=options.losses)["loss"])
        result["loss"] = by_tenth(loss, shown["t"])
    if options.command == "answers":
        ours = Ours(options, *HELD_OUT)
        data = ours.ask(do="data", count=options.count)
        x = ours.ask(do="samples", checkpoint=options.rest[0], count=options.count)["samples"]
        result["answers"] = judged(x, data, options)
        if options.out:
            torch.save({"x": x, "captions": data["captions"]}, options.out + ".samples.pt")
    if options.command == "spread":
        peer, kept = Peer(), load_file(options.rest[0])
        for name, value in peer.text.state_dict().items():
            value.copy_(kept["ema.conditioner." + name.removeprefix("text_model.")])
        result["spread"] = spread(peer)
    if options.command == "train":
        law, steps = options.rest[0], int(options.rest[1])
        peer = Peer()
        result["spread at first"] = spread(peer)
        result["parameters"] = sum(p.numel() for p in peer.parameters)
        images = options.images or min(65536, (options.stop or steps) * BATCH)
        train(peer, Ours(options).ask(do="data", count=images), law, steps, options.stop or steps, options.seed, options.out)
        result["spread"] = spread(peer)
        ours, shown = held_out(options)
        captions = Ours(options, *HELD_OUT).ask(do="data", count=options.losses)["captions"]
        loss = []
        with torch.no_grad():
            for x, t, target, ids in zip(*(v.split(50) for v in (shown["input"], shown["t"], shown["target"],
                                                                 peer.ids(captions)))):
                loss.append(F.mse_loss(peer(x, t, ids), target, reduction="none").mean((1, 2, 3)))
        result["loss"] = by_tenth(torch.cat(loss), shown["t"])
        data = Ours(options, *HELD_OUT).ask(do="data", count=options.count)
        result["answers"] = judged(sample(peer, data["captions"], options.seed), data, options)
    text = json.dumps(result)
    print(text)
    if options.out:
        pathlib.Path(options.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
