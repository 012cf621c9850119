"""What the tests of runs share: tiny experiments, the program, and a run's numbers for comparison."""
import json
import os
import pathlib
import subprocess
import time

import h5py
import numpy as np
import safetensors.numpy

# A two-stage run of a third of a second: gradient accumulation, averages, a conditioner, samples and checkpoints whose
# steps coincide at some steps and not at others.
TWO_STAGES = """
[experiment]
name = "tiny"
seed = 3
[dataset]
use = "gaussian-mixture"
[conditioner]
use = "class-label"
width = 16
[denoiser]
use = "mlp"
width = 16
[schedule]
use = "linear"
[[stage]]
name = "first"
steps = 60
batch_size = 8
accumulate = 2
log_every = 3
checkpoint_every = 7
sample_every = 14
ema_decay = 0.9
lr_schedule = "cosine"
warmup = 5
optimizer = { use = "adamw", lr = 1e-3 }
[[stage]]
name = "second"
train = ["denoiser"]
steps = 60
batch_size = 8
log_every = 1
checkpoint_every = 5
sample_every = 10
ema_decay = 0.95
condition_drop = 0.5
optimizer = { use = "adamw", lr = 5e-4 }
[sampler]
steps = 4
[guidance]
use = "classifier-free"
scale = 2.0
[samples]
count = 16
columns = 8
"""

# One stage on points in the plane.
POINTS = """
[experiment]
name = "points"
[dataset]
use = "gaussian-mixture"
[denoiser]
use = "mlp"
width = 16
[schedule]
use = "linear"
[[stage]]
steps = 20
batch_size = 8
log_every = 1
checkpoint_every = 5
optimizer = { use = "adamw", lr = 1e-3 }
[sampler]
steps = 4
[samples]
count = 16
"""

# A small U-Net on 8 x 8 images of eight classes.
IMAGES = """
[experiment]
name = "images"
[dataset]
use = "gaussian-mixture"
shape = [1, 8, 8]
[conditioner]
use = "class-label"
width = 16
[denoiser]
use = "unet"
channels = [8]
groups = 4
head_channels = 8
[schedule]
use = "cosine"
[parameterization]
use = "v"
[[stage]]
steps = 6
batch_size = 4
log_every = 1
ema_decay = 0.5
[sampler]
steps = 3
[guidance]
use = "classifier-free"
scale = 2.0
[samples]
count = 16
columns = 2
"""

# Pictures of a folder, without labels, and an encoder of two levels for them.
PICTURES = """
[dataset]
use = "image-folder"
folder = "data"
size = 8
labels = "none"
"""
SMALL_AUTOENCODER = """
[encoder]
use = "autoencoder"
channels = [8, 8]
groups = 4
blocks = 1
mid_attention = false
"""

# Captioned shapes and the variational encoder for them.
SHAPES_KL = """
[dataset]
use = "captioned-shapes"
samples = 200
max_count = 1
[encoder]
use = "autoencoder-kl"
channels = [8, 8]
blocks = 1
groups = 4
latent_channels = 2
mid_attention = false
"""

# The tables of a U-Net of one level that learns v, for experiments on captioned shapes.
SMALL_UNET = """
[denoiser]
use = "unet"
channels = [8]
groups = 4
layers_per_block = 1
head_channels = 8
[schedule]
use = "cosine"
[parameterization]
use = "v"
"""


class Program:
    """perrin with one thread, colours and search paths of its own."""

    def __init__(self, binary, **environment):
        self.binary = pathlib.Path(binary)
        unwanted = ("PERRIN_", "NO_COLOR", "CLICOLOR", "FORCE_COLOR")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        self.environment |= {"OMP_NUM_THREADS": "1", "TERM": "xterm-256color"} | environment

    def start(self, *arguments, cwd=None, **environment):
        return subprocess.Popen([self.binary, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd=cwd, env=self.environment | environment)

    def __call__(self, *arguments, cwd=None, expect=0, **environment):
        """The finished process; an exit code other than `expect` (None: any) is an AssertionError with both streams."""
        process = self.start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=120)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert expect is None or done.returncode == expect, f"exit {done.returncode}, not {expect}: {describe(done)}"
        return done


def describe(done):
    return f"{' '.join(map(str, done.args))}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"


def write(path, text):
    path.write_text(text)
    return path


def wait_until(condition, process, what, seconds=60):
    """Waits until condition() while the process lives; a process that ends or a long wait fails with `what`."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"ended before {what}: {process.communicate()}"
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.002)


def checkpoints(run):
    return sorted((run / "checkpoints").glob("step-*.safetensors"))


def traces(run):
    """{name: values} of all that a rerun repeats: /metrics/train without wall_time, and the sample images."""
    with h5py.File(run / "run.h5", "r") as f:
        found = {f"train/{k}": v[:] for k, v in f["metrics/train"].items() if k != "wall_time"}
        for tag in f.get("images", {}):
            found |= {f"images/{tag}/{k}": f["images"][tag][k][:] for k in ("data", "step")}
    return found


def weights(run):
    return safetensors.numpy.load_file(checkpoints(run)[-1])


def pictures(run):
    return {p.name: np.frombuffer(p.read_bytes(), np.uint8) for p in sorted((run / "samples").glob("step-*.png"))}


def everything(run):
    return traces(run) | {f"weights/{k}": v for k, v in weights(run).items()} | pictures(run)


def status(run):
    with h5py.File(run / "run.h5", "r") as f:
        return f.attrs["status"].decode()


def differences(expected, found):
    """Names whose bytes differ, with how many values; empty if all are bit-identical (NaNs too)."""
    lines = [f"{name} is only in {'the first' if name in expected else 'the second'}"
             for name in sorted(expected.keys() ^ found.keys())]
    for name in sorted(expected.keys() & found.keys()):
        a, b = expected[name], found[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            lines.append(f"{name}: {a.dtype}{a.shape} against {b.dtype}{b.shape}")
        elif a.tobytes() != b.tobytes():
            lines.append(f"{name}: {int(np.sum(a != b))} of {a.size} values differ")
    return lines


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])
