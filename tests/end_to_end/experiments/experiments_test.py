"""experiments_test.py PERRIN EXPERIMENTS: every experiment file states its cost, is found fine by `perrin check`, and runs for
two steps with samples at the end. CIFAR-10's files are made here, in its binary format."""
import base64
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

PERRIN, EXPERIMENTS = sys.argv[1], pathlib.Path(sys.argv[2])
STAGE = {"steps": 2, "batch_size": 2, "warmup": 0, "checkpoint_every": 0, "sample_every": 0}
SAMPLES = {"sampler.steps": 2, "samples.count": 4, "samples.columns": 2}
# A grey PNG of one pixel.
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
# math.md: the network of 2006.11239.
PARAMETERS = {"cifar10-ddpm": {"denoiser": 35_746_307}, "cifar10-flow": {"denoiser": 35_746_307},
              # 2112.10752 and its code: 859.52 M, 83.65 M and the 123.06 M of CLIP ViT-L/14's text tower.
              "stable-diffusion-v1": {"denoiser": 859_520_964, "encoder": 83_653_863, "conditioner": 123_060_480}}
# Too large for a machine without a GPU: checked in full, run with fewer channels. Every block, level and attention stays.
NARROW = {"stable-diffusion-v1": {"dataset.size": 64, "encoder.channels": "[32, 32, 32, 32]", "denoiser.channels": "[32, 32, 64, 64]",
                                  "conditioner.width": 32, "conditioner.layers": 2, "conditioner.heads": 2},
          "celebahq-ldm": {"dataset.size": 32, "encoder.channels": "[32, 32, 32]", "encoder.codes": 64,
                           "denoiser.channels": "[32, 32, 64, 64]"}}


def cifar10(folder):
    """A folder of five batches of four records."""
    noise = random.Random(0)
    for b in range(1, 6):
        records = [bytes([noise.randrange(10)]) + noise.randbytes(3072) for _ in range(4)]
        (folder / f"data_batch_{b}.bin").write_bytes(b"".join(records))
    return folder


def images(folder):
    """A folder of four images with captions."""
    folder.mkdir(exist_ok=True)
    for name in "abcd":
        (folder / f"{name}.png").write_bytes(PIXEL)
        (folder / f"{name}.txt").write_text(f"{name}: nothing at all")
    return folder


class Experiments(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def perrin(self, *arguments):
        done = subprocess.run([PERRIN, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(0, done.returncode, f"perrin {arguments}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def settings(self, file, short):
        name, text = file.stem, file.read_text()
        values = self.shortened(text) if short else {}
        if name.startswith("cifar10"):
            values["dataset.folder"] = f'"{cifar10(self.folder)}"'
        if name in NARROW:
            values |= NARROW[name] if short else {}
            values["dataset.folder"] = f'"{images(self.folder / "images")}"'
        return [part for key, value in values.items() for part in ("--set", f"{key}={value}")]

    def shortened(self, text):
        """Two steps of each stage, a few samples; terms that start later start at the second step."""
        values = {}
        included = "\ninclude = " in "\n" + text  # a lone stage, whose name stands there
        if included:
            values |= {f"stage.{key}": value for key, value in STAGE.items()}
        for stage in re.findall(r'\[\[stage\]\]\nname = "([^"]+)"', text):
            values |= {f"stage.{stage}.{key}": value for key, value in STAGE.items()}
        for stage, body in re.findall(r'\[\[stage\]\]\nname = "([^"]+)"(.*?)(?=\[\[stage\]\]|\Z)', text, re.S):
            for loss in re.findall(r'use = "([^"]+)"\n(?:  (?!\[)[^\n]*\n)*?  start = ', body):
                values[f"stage.{stage}.loss.{loss}.start"] = 1
        if "\ncache = true" in text:
            values["dataset.limit"] = 64  # all samples are encoded before the first step
        if included or "\n[denoiser]" in text:
            values |= SAMPLES
        return values

    def test_each_file_states_cost_and_seed(self):
        for file in EXPERIMENTS.glob("**/*.toml"):
            head = file.read_text().split("[experiment]")[0]
            self.assertRegex(head, r"# .*\bCost: ", file.name)
            self.assertRegex(file.read_text(), r"(?m)^seed = \d+", file.name)

    def test_each_file_passes_the_check_and_runs(self):
        for file in sorted(EXPERIMENTS.glob("**/*.toml")):
            with self.subTest(file.name):
                checked = self.perrin("check", file, *self.settings(file, False))
                counts = {k: int(n) for k, n in re.findall(r"(?m)^  ([\w.-]+) +(\d+)$", checked.split("\nparameters\n")[1])}
                print(f"  {file.stem}: {counts}", flush=True)
                self.assertTrue(counts)
                self.assertEqual(counts, counts | PARAMETERS.get(file.stem, {}))
                run = self.perrin("run", file, "--out", self.folder / file.stem, *self.settings(file, True)).split()[-1]
                if "[extractor]" not in file.read_text():
                    self.assertTrue(list(pathlib.Path(run).glob("samples/*.png")), "no picture")


unittest.main(argv=sys.argv[:1], verbosity=2)
