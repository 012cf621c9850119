"""A training step of latent diffusion against diffusers' AutoencoderKL and UNet2DConditionModel and transformers' CLIPTextModel.

peer.py PROGRAM THREADS REPEATS [--compile] takes the two stages of stages.toml in turn: PROGRAM (stage_bench) writes its
weights and what it shows the networks; latents, loss, gradient and parameters are compared; then the two take turns, the
peer as shipped and channels-last with a fused AdamW (--compile: and compiled). Prints one JSON object:
  {"diffusion": {"perrin": {"median", "quartiles", ..}, "eager": .., "ratio_shipped", "ratio_tuned"}, "text": ..}
The peer is shown tokens, not texts, and averages no weights; Perrin does both in the step.
"""
import ast
import json
import pathlib
import sys
import tempfile
import time

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from turns import PERRIN, Worker, alternate, arguments

STAGES, MAX_TOKENS, SCALE = ("diffusion", "text"), 24, 0.5


def tokenizer():
    """The vocabulary that is built into clip-text, as transformers' tokenizer."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    lines = (HERE.parents[2] / "plugins/conditioners/data/small_merges.inc").read_text().splitlines()
    text = "".join(ast.literal_eval(line) for line in lines if line.startswith('"'))
    merges = [tuple(line.split()) for line in text.splitlines()[1:]]
    alphabet = list(bytes_to_unicode().values())
    vocabulary = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={t: i for i, t in enumerate(vocabulary)}, merges=merges), len(vocabulary)


def take(net, tensors, name_of):
    """Our weights in the peer's module; the products that are one tensor here are several there."""
    state = {}
    for name, value in net.state_dict().items():
        for part, letters in ("", ""), ("to_qkv", "qkv"), ("to_kv", "kv"):
            stem, letter, kind = name.rpartition(".to_")[0], name.rpartition(".to_")[2][:1], name.rpartition(".")[2]
            ours = name_of(f"{stem}.{part}.{kind}" if part else name)
            if ours in tensors and (not part or letter in letters):
                state[name] = tensors[ours].chunk(len(letters))[letters.index(letter)] if part else tensors[ours]
    net.load_state_dict(state)
    return net


def encoder():
    return AutoencoderKL(block_out_channels=(32, 64, 64), layers_per_block=2, norm_num_groups=32, latent_channels=4,
                         down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3)


def denoiser():
    return UNet2DConditionModel(in_channels=4, out_channels=4, block_out_channels=(64, 128), layers_per_block=1,
                                down_block_types=["CrossAttnDownBlock2D"] * 2, up_block_types=["CrossAttnUpBlock2D"] * 2,
                                attention_head_dim=(2, 4), cross_attention_dim=128)  # numbers of heads, by its name's history


def text_model(entries):
    return CLIPTextModel(CLIPTextConfig(vocab_size=entries, hidden_size=128, intermediate_size=512, num_hidden_layers=2,
                                        num_attention_heads=4, max_position_embeddings=MAX_TOKENS,
                                        bos_token_id=entries - 2, eos_token_id=entries - 1))


class Peer:
    def __init__(self, tensors, captions, trains_text, variant):
        tokens, entries = tokenizer()
        self.encoder = take(encoder(), tensors, lambda name: "encoder." + name).eval()
        self.unet = take(denoiser(), tensors, lambda name: "denoiser." + name)
        self.text = take(text_model(entries), tensors, lambda name: "conditioner." + name.removeprefix("text_model."))
        self.encoder.requires_grad_(False)
        self.text.requires_grad_(trains_text)
        self.x, self.scheduler = tensors["x"], DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
        self.ids = tokens(captions, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt")["input_ids"]
        if variant != "eager":
            for net in self.encoder, self.unet:
                net.to(memory_format=torch.channels_last)
            self.x = self.x.to(memory_format=torch.channels_last)
        self.encode = lambda x: self.encoder.encode(x).latent_dist
        self.predict = lambda z, t, ids: self.unet(z, t, self.text(input_ids=ids).last_hidden_state).sample
        if variant == "compile":
            self.encode, self.predict = torch.compile(self.encode), torch.compile(self.predict)
        self.trained = [p for net in (self.unet, self.text) for p in net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=1e-5, fused=variant != "eager")

    def differences(self, tensors, found):
        """Of latents, loss and gradient, by the peer's own; then no gradient is left."""
        with torch.no_grad():
            z = SCALE * self.encode(self.x).mode()
        loss = torch.nn.functional.mse_loss(self.predict(tensors["input"], tensors["c_noise"], self.ids), tensors["target"])
        loss.backward()
        norm = sum(p.grad.double().square().sum() for p in self.trained).sqrt().item()
        self.optimizer.zero_grad()
        return {"latents": ((z - tensors["z"]).abs().max() / z.abs().max()).item(),
                "loss": abs(loss.item() - found["loss"]) / loss.item(), "gradient": abs(norm - found["gradient"]) / norm}

    def timed(self):
        begin = time.perf_counter()
        with torch.no_grad():
            z = SCALE * self.encode(self.x).sample()
        noise, t = torch.randn_like(z), torch.randint(0, 1000, (z.shape[0],))
        loss = torch.nn.functional.mse_loss(self.predict(self.scheduler.add_noise(z, noise, t), t, self.ids), noise)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return 1e3 * (time.perf_counter() - begin)


def bench(index, program, threads, repeats, variants):
    ours = Worker(PERRIN, program, HERE / "stages.toml", index, threads)
    with tempfile.TemporaryDirectory() as folder:
        found = ours.ask(do="export", file=folder + "/stage")
        tensors = {k: v.clone() for k, v in load_file(folder + "/stage").items()}
    sides = {"perrin": ours} | {v: Peer(tensors, found["captions"], STAGES[index] == "text", v) for v in variants}
    apart = sides["eager"].differences(tensors, found)
    if max(apart.values()) > 1e-4 or found["parameters"] != sum(p.numel() for p in sides["eager"].trained):
        raise SystemExit(f"stage {STAGES[index]}: the two differ ({apart}): no timing would mean anything")
    result = alternate(sides, repeats)
    ours.close()
    return result | {"parameters": found["parameters"], "apart": apart}


def main():
    program, threads, repeats, variants = arguments()
    print(json.dumps({name: bench(i, program, threads, repeats, variants) for i, name in enumerate(STAGES)}))


if __name__ == "__main__":
    main()
