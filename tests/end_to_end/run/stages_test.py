"""First stage, diffusion and text from one file: what a stage trains, what it leaves alone, where it starts.

Usage: stages_test.py PERRIN
"""
import math
import pathlib
import tempfile
import unittest

import h5py
import numpy as np
import safetensors.numpy

import kill_test
from program import SHAPES_KL, SMALL_UNET, differences, weights, write

PERRIN = kill_test.PERRIN

STAGES = """
[experiment]
name = "stages"
seed = 2
""" + SHAPES_KL + """[conditioner]
use = "clip-text"
entries = 0
width = 16
layers = 1
heads = 2
max_tokens = 16
""" + SMALL_UNET + """[[stage]]
name = "first-stage"
train = ["encoder"]
steps = 14
batch_size = 2
log_every = 1
checkpoint_every = 3
ema_decay = 0.5
optimizer = { use = "adamw", lr = 1e-3 }
  [[stage.loss]]
  use = "l1"
  [[stage.loss]]
  use = "kl"
  weight = 1e-3
  [[stage.loss]]
  use = "adversarial"
  weight = 0.5
  start = 6
  channels = 4
  layers = 2
  optimizer = { use = "adam", lr = 1e-3, beta1 = 0.5 }
[[stage]]
name = "diffusion"
train = ["denoiser"]
steps = 8
batch_size = 2
log_every = 1
checkpoint_every = 3
condition_drop = 1.0
ema_decay = 0.5
[[stage]]
name = "text"
train = ["denoiser", "conditioner"]
steps = 8
batch_size = 2
log_every = 1
checkpoint_every = 3
ema_decay = 0.5
[sampler]
steps = 2
[guidance]
use = "classifier-free"
scale = 2.0
[samples]
count = 4
columns = 2
"""
LAST = 30


def column(run, name):
    with h5py.File(run / "run.h5", "r") as f:
        return f[f"metrics/train/{name}"][:]


def at_step(run, step):
    return safetensors.numpy.load_file(run / f"checkpoints/step-{step:08}.safetensors")


def part(tensors, prefix):
    return {k: v for k, v in tensors.items() if k.startswith(prefix)}


class Stages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.whole = cls.folder / "whole"
        PERRIN("run", write(cls.folder / "stages.toml", STAGES), "--out", cls.whole)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def begun(self, name, steps, text=STAGES):
        """The run's checkpoint after `steps`, of a copy that is stopped there: checkpoints of the whole are pruned."""
        run = self.folder / name
        first = min(steps, 14)
        rest = text.split("[[stage]]\nname = \"diffusion\"")
        short = rest[0].replace("steps = 14", f"steps = {first}") + "[sampler]\nsteps = 2\n[samples]\ncount = 4\ncolumns = 2\n"
        PERRIN("run", write(self.folder / f"{name}.toml", short), "--out", run)
        return weights(run)

    def test_the_first_stage_is_frozen_to_the_bit_afterwards(self):
        first, last = self.begun("first", 14), weights(self.whole)
        self.assertTrue(part(first, "ema.encoder."))
        for name, value in part(first, "ema.encoder.").items():
            self.assertEqual(value.tobytes(), last[name.removeprefix("ema.")].tobytes(), f"{name}: EMA weights go on")
        self.assertTrue(any(v.tobytes() != first[k.removeprefix("ema.")].tobytes()
                            for k, v in part(first, "ema.encoder.").items()), "an average that equals its weights shows nothing")

    def test_the_scale_factor_makes_unit_variance_and_is_recorded(self):
        held = weights(self.whole)
        mean, deviation, scale = (held[f"latent.{n}"] for n in ("mean", "deviation", "scale"))
        # The variance of all elements of z is the mean of the channels' variances and the variance of their means.
        self.assertTrue(math.isclose(scale[0] ** 2 * (np.mean(deviation ** 2) + np.var(mean)), 1, rel_tol=1e-9), (mean, deviation, scale))

    def test_the_second_player_moves_from_its_start_on(self):
        logits = column(self.whole, "loss_adversarial_opponent")[:14]
        self.assertTrue(np.isnan(logits[:6]).all() and np.isfinite(logits[6:]).all(), logits)
        self.assertTrue(np.isnan(column(self.whole, "loss_adversarial")[:6]).all())
        name = "loss.first-stage.adversarial."
        before, then = (part(self.begun(f"start-{n}", n, STAGES.replace("start = 6", f"start = {min(6, n - 1)}")), name)
                        for n in (6, 14))
        moved = [k for k in before if "running" not in k and "batches" not in k and before[k].tobytes() != then[k].tobytes()]
        self.assertTrue(len(moved) > 3, f"{len(moved)} of {len(before)} tensors of the discriminator moved")

    def test_another_optimizer_of_the_second_player_does_not_change_the_first_players_next_step(self):
        # What the discriminator learns at a step reaches the autoencoder at the following one, not before.
        text = STAGES.replace("steps = 14", "steps = 7", 1)
        other = text.replace("lr = 1e-3, beta1 = 0.5", "lr = 1e-1, beta1 = 0.5")
        a, b = self.begun("slow", 7, text), self.begun("fast", 7, other)
        self.assertEqual([], differences(part(a, "encoder."), part(b, "encoder.")))
        self.assertNotEqual([], differences(part(a, "loss."), part(b, "loss.")))

    def test_pictures_of_both_kinds_are_kept(self):
        with h5py.File(self.whole / "run.h5", "r") as f:
            self.assertEqual([14], f["images/reconstructions/step"][:].tolist())
            self.assertEqual([LAST], f["images/samples/step"][:].tolist())
        self.assertEqual(2, len(list((self.whole / "samples").glob("*.png"))))

    def test_a_stage_starts_from_another_run(self):
        head, rest = STAGES.split("[[stage]]\nname = \"first-stage\"")
        later = head + "[[stage]]\nname = \"diffusion\"" + rest.split("[[stage]]\nname = \"diffusion\"")[1]
        later = later.replace('train = ["denoiser"]', f'from = "{self.whole}"\ntake = ["encoder"]\ntrain = ["denoiser"]', 1)
        run = self.folder / "later"
        PERRIN("run", write(self.folder / "later.toml", later), "--out", run)
        theirs = weights(self.whole)
        for name, value in part(weights(run), "encoder.").items():
            self.assertEqual(value.tobytes(), theirs[name].tobytes(), name)
        self.assertEqual(weights(run)["latent.scale"], theirs["latent.scale"])
        wrong = PERRIN("run", write(self.folder / "wrong.toml", later.replace("channels = [8, 8]", "channels = [8, 16]")), expect=2)
        self.assertRegex(wrong.stderr, r'wrong.toml:\d+:\d+: error: "from": tensor "ema.encoder\.[\w.]+" is \[\d.*\] in the '
                                       r'checkpoint and \[\d.*\] in the model')
        absent = PERRIN("run", write(self.folder / "absent.toml", later.replace(str(self.whole), "no/such/run")), expect=2)
        self.assertIn("there is no file or folder", absent.stderr)

    def test_prompts_images_and_masks(self):
        def sample(name, *arguments, expect=0):
            return PERRIN("sample", self.whole, "--out", self.folder / name, *arguments, expect=expect)

        def arrays(name):
            return safetensors.numpy.load_file(self.folder / f"{name}.safetensors")["samples"]

        sample("one", "--prompt", "a small red circle", "--prompt", "a large blue star")
        self.assertEqual((4, 3, 32, 32), arrays("one").shape)
        (self.folder / "two.txt").write_bytes(b"\xef\xbb\xbfa small red circle\r\n\n \na large blue star")
        sample("listed", "--prompts", self.folder / "two.txt")
        np.testing.assert_array_equal(arrays("one"), arrays("listed"))
        (self.folder / "none.txt").write_text(" \n\n")
        self.assertIn("the file holds no prompt", sample("x", "--prompts", self.folder / "none.txt", expect=2).stderr)
        (self.folder / "latin.txt").write_bytes(b"a red circle\na gr\xfcn star\n")
        self.assertRegex(sample("x", "--prompts", self.folder / "latin.txt", expect=2).stderr, r"latin\.txt:2:5|line 2, column 5")
        sample("heavy", "--prompt", "a small (red:1.5) circle", "--prompt", "a large blue star")
        self.assertFalse((arrays("one")[:2] == arrays("heavy")[:2]).all(), "a weight counts")
        np.testing.assert_allclose(arrays("one")[2:], arrays("heavy")[2:], atol=1e-5)
        sample("away", "--prompt", "a small red circle", "--negative", "a star")
        self.assertFalse((arrays("one")[:2] == arrays("away")[:2]).all())
        sample("strip", "--prompt", "a small red circle", "--prompt", "a large blue star", "--interpolate", "--count", "3")
        strip, ends = arrays("strip"), arrays("one")
        np.testing.assert_allclose(strip[[0, 2]], ends[[0, 2]], atol=1e-5, err_msg="a strip goes from one prompt to the other")
        from PIL import Image
        picture = np.zeros((32, 32, 3), np.uint8)
        picture[8:24, 8:24, 0] = 255
        Image.fromarray(picture).save(self.folder / "init.png")
        mask = np.zeros((32, 32), np.uint8)
        mask[:16] = 255
        Image.fromarray(mask).save(self.folder / "mask.png")
        sample("inpainted", "--prompt", "a small red circle", "--init", self.folder / "init.png", "--mask", self.folder / "mask.png")
        known = picture[16:].transpose(2, 0, 1) / 127.5 - 1
        np.testing.assert_allclose(arrays("inpainted")[0][:, 16:], known, atol=1e-6)
        Image.fromarray(mask[:16]).save(self.folder / "small.png")
        refused = sample("x", "--init", self.folder / "init.png", "--mask", self.folder / "small.png", expect=2)
        self.assertIn("the mask is 32 x 16 pixels, and its image 32 x 32", refused.stderr)
        self.assertIn("give --init FILE too", sample("x", "--mask", self.folder / "mask.png", expect=2).stderr)

    def test_what_cannot_be_is_refused_with_its_place(self):
        def refused(text, pattern):
            done = PERRIN("check", write(self.folder / "bad.toml", text), expect=2)
            self.assertRegex(done.stderr, pattern)

        refused(STAGES.replace('train = ["encoder"]', 'train = ["encoder", "denoiser"]'), "one stage trains the encoder and what works")
        refused(STAGES.replace('train = ["encoder"]\n', ""), r'of a first stage\? then say train = \["encoder"\]')
        refused(STAGES.replace('train = ["denoiser"]\n', "", 1), "does not say what it trains")
        refused(STAGES.replace('use = "l1"', 'use = "l2"\n  optimizer = { use = "sgd" }'), "is no adversary")
        refused(STAGES.replace('use = "kl"', 'use = "vlb"'), r'the loss "vlb" needs "variance"|the loss "vlb" needs')
        refused(STAGES.replace('name = "diffusion"', 'name = "diffusion"\nfrom = "results/none"'), "there is no file or folder")


class KilledInStages(kill_test.Tortured):
    TEXT, LAST = STAGES, LAST

    def test_runs_killed_in_any_stage_end_bit_identical(self):
        resumed = self.end_bit_identical(6, 2)
        self.assertTrue(any(0 < step < 14 for step in resumed) or any(14 < step < LAST for step in resumed), resumed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
