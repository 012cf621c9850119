"""What `perrin sample` is given and where it writes: known to be possible before the first step.

Usage: sample_test.py PERRIN
"""
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import safetensors
import safetensors.numpy
from PIL import Image

from program import PICTURES, POINTS, SMALL_AUTOENCODER, SMALL_UNET, TWO_STAGES, Program, last_json, write

PERRIN = Program(sys.argv.pop(1))

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "golden"

# Five captioned images: fewer than a picture has rows.
CAPTIONED = """
[experiment]
name = "captioned"
[dataset]
use = "image-folder"
folder = "data"
size = 8
labels = "none"
captions = "txt"
[conditioner]
use = "text-transformer"
width = 16
layers = 1
heads = 2
tokens = 16
vocabulary_size = 300
output = "vector"
[[stage]]
steps = 1
batch_size = 1
[sampler]
steps = 2
""" + SMALL_UNET

FIRST_STAGE = """
[experiment]
name = "see"
""" + PICTURES + SMALL_AUTOENCODER + """[[stage]]
name = "first-stage"
train = ["encoder"]
steps = 1
batch_size = 1
  [[stage.loss]]
  use = "l1"
"""


# A first stage and diffusion in its space, whose scale is measured.
LATENT = """
[experiment]
name = "latent"
""" + PICTURES + SMALL_AUTOENCODER.replace("autoencoder", "ENCODER") + """[[stage]]
name = "first-stage"
train = ["encoder"]
steps = 2
batch_size = 2
  [[stage.loss]]
  use = "l1"
[[stage]]
name = "diffusion"
train = ["denoiser"]
steps = 2
batch_size = 2
[sampler]
steps = 2
[samples]
count = 4
""" + SMALL_UNET


def arrays(path):
    return safetensors.numpy.load_file(path)


def make_images(folder, n):
    folder.mkdir()
    for i in range(n):
        Image.fromarray(np.full((8, 8, 3), (40 * i + 20) % 256, np.uint8)).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(f"picture number {i}")


class InFolder(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()

    def experiment(self, text, name="a"):
        return write(self.folder / f"{name}.toml", text)

    def run_of(self, text, *arguments, name="a"):
        run = self.folder / f"run-{name}"
        PERRIN("run", self.experiment(text, name), "--out", run, *arguments, cwd=self.folder)
        return run

    def refused(self, *arguments, code=None):
        done = PERRIN(*arguments, expect=None, cwd=self.folder)
        self.assertNotEqual(0, done.returncode, done.stdout)
        if code is not None:
            self.assertEqual(code, done.returncode, done.stderr)
        return done.stderr


class FewImages(InFolder):
    """diffusers' and denoising-diffusion-pytorch's grids (issue 278 of the latter) want more images than there are."""

    def test_a_caption_grid_goes_through_the_data_again(self):
        make_images(self.folder / "data", 5)
        run = self.run_of(CAPTIONED)
        done = last_json(PERRIN("sample", run, "--count", 64, "--json").stdout)
        self.assertEqual((64, 3, 8, 8), arrays(done["arrays"])["samples"].shape)

    def test_a_reconstruction_grid_shows_the_first_images_again(self):
        make_images(self.folder / "data", 5)
        run = self.run_of(FIRST_STAGE)
        with Image.open(run / "samples/reconstructions-step-00000001.png") as image:
            rows = np.asarray(image.convert("L")).astype(int)
        pitch, scale = (rows.shape[1] - 2) // 8, 8
        cells = [rows[2 + scale * 4, 2 + i * pitch + scale * 4] for i in range(8)]
        self.assertEqual([20, 60, 100, 140, 180, 20, 60, 100], cells)


class Out(InFolder):
    def setUp(self):
        super().setUp()
        self.run = self.run_of(POINTS)

    def sample(self, out, command="sample"):
        return PERRIN(command, self.run, "--out", out, "--json", *self.few(command), cwd=self.folder)

    @staticmethod
    def few(command):
        return ["--samplers", "ddim", "--steps", "2", "--count", "2"] if command == "compare" else []

    def test_missing_folders_are_made_and_endings_may_be_there(self):
        for out in ("none/here/x", "none/there/x.png", "other/x.safetensors"):
            self.sample(out)
            folder = (self.folder / out).parent
            self.assertEqual({"x.png", "x.safetensors"}, {p.name for p in folder.iterdir()}, out)
        for out in ("t", "u.png", "v.csv"):
            self.sample(pathlib.Path("compared") / out, "compare")
        self.assertEqual({f"{n}.{e}" for n in "tuv" for e in ("png", "csv")},
                         {p.name for p in (self.folder / "compared").iterdir()})
        self.sample("v1.5")  # a dot is no ending
        self.assertTrue((self.folder / "v1.5.png").is_file())

    def test_what_names_no_file_is_refused_before_sampling(self):
        (self.folder / "pics").mkdir()
        (self.folder / "taken.png").mkdir()
        write(self.folder / "file", "")
        long = "x" * 250
        for command in ("sample", "compare"):
            for out, part in {"": "--out is empty", "pics/": '"pics/" names no file', ".": "names no file",
                              "taken": "it is there and no file", long: "File name too long",
                              "file/x": "cannot make the folder file"}.items():
                with self.subTest(command=command, out=out):
                    message = self.refused(command, self.run, "--out", out, *self.few(command))
                    self.assertIn(part, message)
                    self.assertNotIn("sampling", message)
        for out, part in {"pics/": "names no file", long + ".safetensors": "File name too long"}.items():
            self.assertIn(part, self.refused("weights", "export", self.run, out, "--component", "denoiser"))
        self.assertIn('--out is empty', self.refused("run", self.folder / "a.toml", "--out", "", code=2))
        self.assertEqual([], list((self.folder / "pics").iterdir()))


class WithoutData(InFolder):
    """A run folder stands alone."""

    def gone(self, text, *options):
        """The samples of a run with its data, and then without."""
        make_images(self.folder / "data", 12)
        run = self.run_of(text)
        before = self.sample(run, "with", *options)
        (self.folder / "data").rename(self.folder / "moved")
        return run, before, self.sample(run, "without", *options)

    def sample(self, run, out, *options):
        PERRIN("sample", run, "--out", self.folder / out, *options, cwd=self.folder)
        return arrays(self.folder / f"{out}.safetensors")["samples"], (self.folder / f"{out}.png").read_bytes()

    def assertSame(self, a, b):
        np.testing.assert_array_equal(a[0], b[0])
        self.assertEqual(a[1], b[1])

    def test_a_run_is_sampled_without_its_data(self):
        plain = CAPTIONED.replace('captions = "txt"\n', "").split("[conditioner]")
        text = plain[0] + "[[stage]]" + plain[1].split("[[stage]]")[1]
        _, before, after = self.gone(text)
        self.assertSame(before, after)

    def test_the_grid_s_captions_are_kept_in_the_run(self):
        run, before, after = self.gone(CAPTIONED)
        self.assertSame(before, after)
        message = self.refused("sample", run, "--count", 64, "--set", "samples.columns=1")
        for part in ("conditions of 64 samples of the data, of which the run keeps 8", "give --prompt"):
            self.assertIn(part, message)
        self.sample(run, "words", "--prompt", "picture number 1", "--count", 2)
        PERRIN("compare", run, "--samplers", "ddim", "--steps", 2, "--count", 2)
        PERRIN("weights", "export", run, self.folder / "d.safetensors", "--component", "denoiser")
        self.assertIn("finished", PERRIN("show", run).stdout)

    def test_another_dataset_is_read_and_not_the_record(self):
        make_images(self.folder / "data", 5)
        make_images(self.folder / "other", 3)
        for i in range(3):
            (self.folder / "other" / f"{i}.txt").write_text("something else")
        run = self.run_of(CAPTIONED)
        own, other = self.sample(run, "own"), self.sample(run, "other", "--set", "dataset.folder=other")
        self.assertFalse(np.array_equal(own[0], other[0]))


def with_weights(names, folder):
    return [f"--set={name}.weights={folder / name}.safetensors" for name in names]


class Weights(InFolder):
    """What is exported can be read."""

    def exported(self, run, *components):
        for name in components:
            PERRIN("weights", "export", run, self.folder / f"{name}.safetensors", "--component", name)

    def of_files(self, run, components, *options):
        """The samples of the run's experiment without the run, its components from files."""
        file = write(self.folder / "alone.toml", (run / "experiment.toml").read_text())
        PERRIN("sample", file, "--out", self.folder / "files", *with_weights(components, self.folder), *options,
               cwd=self.folder)
        return arrays(self.folder / "files.safetensors")

    def assertSampledAlike(self, run, components):
        self.exported(run, *components)
        PERRIN("sample", run, "--out", self.folder / "run", cwd=self.folder)
        expected, found = arrays(self.folder / "run.safetensors"), self.of_files(run, components)
        self.assertEqual(expected.keys(), found.keys())
        for name in expected:
            np.testing.assert_array_equal(expected[name], found[name], name)

    def test_a_model_is_sampled_from_its_files(self):
        run = self.run_of(TWO_STAGES)
        self.assertSampledAlike(run, ["denoiser", "conditioner"])

    def test_what_a_conditioner_learnt_from_the_data_goes_with_it(self):
        make_images(self.folder / "data", 5)
        self.assertSampledAlike(self.run_of(CAPTIONED), ["denoiser", "conditioner"])

    def test_a_first_stage_goes_with_its_measured_scale(self):
        make_images(self.folder / "data", 5)
        for encoder in ("autoencoder-kl", "vq"):
            run = self.run_of(LATENT.replace("ENCODER", encoder), name=encoder)
            self.assertSampledAlike(run, ["denoiser", "encoder"])

    def test_every_denoiser_and_text_tower_is_read_as_it_was_written(self):
        make_images(self.folder / "data", 5)
        small = "width=16, heads=2"
        denoisers = [f"use='dit', {small}, depth=2", f"use='uvit', {small}, depth=2",
                     "use='edm2-unet', channels=[16], head_channels=8", "use='unet', channels=[8], groups=4"]
        own = f"{small}, layers=1"
        towers = [f"use='bert', {own}, hidden=32, positions=8, tokens=8, vocabulary='{GOLDEN}/text_encoders/data/vocab.txt'",
                  f"use='gpt', {own}, positions=8, tokens=8, vocabulary='{GOLDEN}/text_encoders/data/vocab.json', "
                  f"merges='{GOLDEN}/text_encoders/data/merges.txt'",
                  f"use='t5', {own}, head_width=8, hidden=32, tokens=8, vocabulary_size=1000, "
                  f"tokenizer='{GOLDEN}/text_encoders/data/tokenizer.json'",
                  f"use='clip-text', {own}, max_tokens=8, output='both', entries=0, "
                  f"vocabulary='{GOLDEN}/text_clip/data/vocab.json', merges='{GOLDEN}/text_clip/data/merges.txt'"]
        text = CAPTIONED.replace("steps = 1", "steps = 2")
        for i, (denoiser, tower) in enumerate([(d, "") for d in denoisers] + [("", t) for t in towers]):
            with self.subTest(denoiser=denoiser, conditioner=tower):
                options = [f"--set=denoiser={{{denoiser}}}"] if denoiser else [f"--set=conditioner={{{tower}}}"]
                self.assertSampledAlike(self.run_of(text, *options, name=str(i)), ["denoiser", "conditioner"])

    def test_a_run_starts_from_them_and_exports_them_unchanged(self):
        run = self.run_of(TWO_STAGES)
        self.exported(run, "denoiser")
        before = arrays(self.folder / "denoiser.safetensors")
        # A learning rate of next to nothing moves no float32 of these.
        still = self.folder / "still"
        PERRIN("run", self.folder / "a.toml", "--out", still, "--set",
               f"denoiser.weights={self.folder}/denoiser.safetensors",
               "--set", "stage.first.optimizer.lr=1e-30", "--set", "stage.second.optimizer.lr=1e-30",
               "--set", "stage.first.optimizer.weight_decay=0", "--set", "stage.second.optimizer.weight_decay=0")
        self.assertIn("weights = ", (still / "experiment.toml").read_text())
        self.exported(still, "denoiser")
        after = arrays(self.folder / "denoiser.safetensors")
        for name, value in before.items():
            np.testing.assert_allclose(after[name], value, rtol=0, atol=1e-7, err_msg=name)
        (self.folder / "denoiser.safetensors").unlink()  # a run has weights of its own
        PERRIN("sample", still)

    def test_names_may_stand_behind_a_prefix_and_halves_are_read(self):
        run = self.run_of(TWO_STAGES)
        self.exported(run, "denoiser", "conditioner")
        file = self.folder / "denoiser.safetensors"
        plain = self.of_files(run, ["denoiser", "conditioner"])["samples"]
        held = arrays(file)
        other = {"first_stage_model.x.weight": np.zeros(3, np.float32)}
        safetensors.numpy.save_file({f"model.diffusion.{k}": v for k, v in held.items()} | other, file)
        np.testing.assert_array_equal(plain, self.of_files(run, ["denoiser", "conditioner"])["samples"])
        safetensors.numpy.save_file({k: v.astype(np.float16) for k, v in held.items()}, file)
        np.testing.assert_allclose(plain, self.of_files(run, ["denoiser", "conditioner"])["samples"], rtol=0.01, atol=0.1)

    def test_what_does_not_fit_is_listed(self):
        run = self.run_of(TWO_STAGES)
        self.exported(run, "denoiser", "conditioner")
        file, names = self.folder / "denoiser.safetensors", ["denoiser", "conditioner"]
        held = arrays(file)
        first, second, third = sorted(k for k in held if k.endswith("weight"))[:3]
        broken = {k: v for k, v in held.items() if k != first} | {
            first.replace("weight", "wieght"): held[first], second: held[second][:1], third: held[third] * np.nan}
        safetensors.numpy.save_file(broken, file)
        with self.assertRaises(AssertionError) as caught:
            self.of_files(run, names)
        for part in ("4 faults", f"missing {first}; did the file mean", "unexpected", f"{second} is [1, ",
                     f"{third} has a value that is not finite", "--set"):
            self.assertIn(part.replace("[1, ", "[1,"), str(caught.exception))
        self.exported(run, "denoiser")
        self.assertIn("the file was made with width = 16",
                      self.refused("check", self.folder / "a.toml", "--set", "denoiser.width=32", "--set",
                                   f"denoiser.weights={file}"))
        self.assertIn('the weights of the denoiser "mlp", and this is "unet"', self.refused(
            "check", self.folder / "a.toml", "--set", "dataset.shape=[1, 8, 8]", "--set",
            f"denoiser={{use='unet', channels=[8], groups=4, weights='{file}'}}"))
        self.assertIn("is a run's checkpoint", self.refused(
            "check", self.folder / "a.toml", "--set",
            f"denoiser.weights={sorted((run / 'checkpoints').iterdir())[-1]}"))

    def test_what_was_never_trained_is_named(self):
        file = self.experiment(TWO_STAGES)
        self.assertIn("no file gives the parameters of [conditioner], [denoiser]", self.refused("sample", file))
        run = self.run_of(TWO_STAGES)
        self.exported(run, "denoiser")
        message = self.refused("sample", file, f"--set=denoiser.weights={self.folder}/denoiser.safetensors")
        self.assertIn("the parameters of [conditioner]:", message)
        self.assertIn("weights of its own", self.refused("sample", run, "--set", "denoiser.weights=x", code=2))
        self.assertIn("chooses among a run's weights", self.refused("sample", file, "--checkpoint", "x", code=2))

    def test_a_file_s_samples_go_beside_the_runs_of_its_name(self):
        run = self.run_of(TWO_STAGES)
        self.exported(run, "denoiser", "conditioner")
        done = PERRIN("sample", self.folder / "a.toml", *with_weights(["denoiser", "conditioner"], self.folder),
                      cwd=self.folder)
        self.assertTrue((self.folder / "results/tiny/sample-0.png").is_file(), done.stdout)

    def test_a_learnt_loss_is_exported_and_read(self):
        make_images(self.folder / "data", 5)
        text = FIRST_STAGE + """
  [[stage.loss]]
  use = "adversarial"
  channels = 8
  layers = 1
"""
        run = self.run_of(text)
        name = "loss.first-stage.adversarial"
        self.exported(run, name)
        PERRIN("check", self.folder / "a.toml", "--set",
               f"stage.loss.adversarial.weights={self.folder / name}.safetensors", cwd=self.folder)


class Peer(InFolder):
    """A U-Net of diffusers, its weights in 8-bit floats, its queries, keys and values apart: one step from the peer's own
    input, time and sequence leads to what the peer's output says (tests/golden/denoisers/data/make.py)."""

    def test_one_step_of_diffusers_unet_is_reached_from_files_alone(self):
        with safetensors.safe_open(GOLDEN / "denoisers/data/unet_2d_condition.safetensors", "np") as file:
            x, t, sequence, out = (file.get_tensor(name) for name in ("x", "t", "sequence", "out"))
        file = self.experiment("""
[experiment]
name = "peer"
[dataset]
use = "none"
shape = [4, 8, 8]
classes = 5
[conditioner]
use = "class-label"
width = 16
tokens = 7
[denoiser]
use = "unet"
channels = [16, 32]
groups = 8
attention = [0]
layers_per_block = 1
heads = 2
transformer_depth = [1]
[schedule]
use = "linear"
[sampler]
spacing = "custom"
""")
        bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
        for i in range(2):
            safetensors.numpy.save_file({"start": x[i:i + 1], "conditions.conditional.sequence": sequence[i:i + 1]},
                                        self.folder / "in.safetensors")
            PERRIN("sample", file, "--latents", "in.safetensors", "--conditions", "in.safetensors", "--out", "o",
                   f"--set=denoiser.weights={GOLDEN}/denoisers/data/unet_2d_condition.safetensors", "--steps", 1,
                   f"--set=sampler.times=[{t[i]}]", cwd=self.folder)
            alpha, sigma = bar[int(t[i])] ** 0.5, (1 - bar[int(t[i])]) ** 0.5
            expected = (x[i] - sigma * out[i]) / alpha
            np.testing.assert_allclose(arrays(self.folder / "o.safetensors")["samples"][0], expected,
                                       atol=2e-4 * np.abs(expected).max())


class Tensors(InFolder):
    """Noise, latents and conditions can be given and kept."""

    def sample(self, run, out, *options):
        PERRIN("sample", run, "--out", self.folder / out, *options, cwd=self.folder)
        return arrays(self.folder / f"{out}.safetensors")

    def test_kept_noise_and_conditions_give_the_same_samples(self):
        make_images(self.folder / "data", 5)
        interval = ["--set", "guidance={use='classifier-free', scale=3.0, interval=[0.5, 20.0]}"]
        cases = {"classes": (self.run_of(TWO_STAGES, name="classes"), []),
                 "captions": (self.run_of(CAPTIONED, name="captions"), ["--set", "samples.batch_size=3"]),
                 "interval": (self.folder / "run-captions", [*interval, "--steps", 6]),
                 "latent": (self.run_of(LATENT.replace("ENCODER", "autoencoder-kl"), name="latent"), [])}
        for name, (run, options) in cases.items():
            with self.subTest(case=name):
                plain = self.sample(run, "plain", "--count", 8, *options)
                conditions = name != "latent"
                save = ["--save-latents"] + ["--save-conditions"] * conditions
                kept = self.sample(run, "kept", "--count", 8, *save, *options)
                np.testing.assert_array_equal(plain["samples"], kept["samples"])
                give = ["--latents", self.folder / "kept.safetensors"]
                give += ["--conditions", self.folder / "kept.safetensors"] * conditions
                given = self.sample(run, "given", *give, *save, "--seed", 7, *options)
                for tensor in kept.keys() - {"labels"}:
                    np.testing.assert_array_equal(kept[tensor], given[tensor], tensor)

    def test_noise_is_standard_normal_and_the_last_latent_is_decoded(self):
        run = self.run_of(POINTS)
        kept = self.sample(run, "kept", "--count", 4096, "--save-latents")
        self.assertEqual((4096, 2), kept["start"].shape)
        self.assertLess(abs(kept["start"].std() - 1), 0.05)
        np.testing.assert_array_equal(kept["latents"], kept["samples"])  # in pixel space

    def test_an_inversion_gives_the_noise_of_data(self):
        run = self.run_of(POINTS)
        noise = self.sample(run, "noise", "--sampler", "ddim-inversion", "--count", 16, "--save-latents")
        np.testing.assert_array_equal(noise["samples"], noise["start"])
        back = self.sample(run, "back", "--latents", self.folder / "noise.safetensors")
        self.assertEqual((16, 2), back["samples"].shape)

    def test_files_that_do_not_fit_are_refused_before_sampling(self):
        run = self.run_of(TWO_STAGES)
        good = self.sample(run, "good", "--count", 4, "--save-latents", "--save-conditions")
        file = self.folder / "bad.safetensors"
        start, condition = good["start"], "conditions.conditional.vector"

        def refused(option, tensors, *parts, more=()):
            safetensors.numpy.save_file(tensors, file)
            message = self.refused("sample", run, option, file, *more)
            for part in parts:
                self.assertIn(part, message)

        refused("--latents", {"start": start[:, :1]}, 'tensor "start" is [4,1], and [n, ...] of [2] is needed')
        refused("--latents", {"start": start * np.inf}, "not finite")
        refused("--latents", {"start": start.astype(np.int32)}, "is I32, and real numbers are needed")
        refused("--latents", {"a": start, "b": start}, 'no tensor is called "start", and there are 2')
        refused("--latents", {"a": start}, "of different numbers", more=["--count", 5])
        refused("--conditions", {"start": start}, 'begins with "conditions."')
        refused("--conditions", {"conditions.conditional.sequence": start}, 'no condition "conditional.sequence"')
        refused("--conditions", {condition: good[condition]}, 'asks for the conditions "unconditional.vector"')
        refused("--conditions", {condition: good[condition]}, "both say what is shown", more=["--prompt", "x"])
        points = self.run_of(POINTS, name="points")
        self.assertIn("has no conditioner", self.refused("sample", points, "--save-conditions", code=2))
        self.assertIn("no such file", self.refused("sample", points, "--latents", "none.safetensors").lower())


if __name__ == "__main__":
    unittest.main()
