"""The commands as a person and a script use them: check, run, sample, show, on tiny experiments.

Usage: commands_test.py PERRIN
"""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np
import safetensors.numpy
import xarray as xr
from PIL import Image

from program import IMAGES, PICTURES, POINTS, SMALL_UNET, TWO_STAGES, Program, checkpoints, describe, differences, everything, last_json, status, wait_until, write

PERRIN = Program(sys.argv.pop(1))
ESCAPE = "\x1b"


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


class InFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name).resolve()
        for name, text in {"two": TWO_STAGES, "points": POINTS, "images": IMAGES}.items():
            setattr(cls, name, write(cls.folder / f"{name}.toml", text))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def assertMessage(self, text, *parts):
        for part in parts:
            self.assertIn(part, text)


class Help(InFolder):
    def test_a_wrong_command_line_is_exit_2_with_the_nearest_match(self):
        for arguments, parts in {
                ("rnu",): ('there is no command "rnu"; did you mean run?', "fix: see `perrin --help`"),
                ("run",): ("missing FILE; usage: perrin run FILE [options]", "fix: see `perrin run --help`"),
                ("run", "--ouy", "x"): ("unknown option --ouy; did you mean --out?",),
                ("run", "a", "b"): ("too many arguments",),
                ("run", "a", "--seed", "x"): ("--seed",),
                ("resume",): ("missing RUN",),
                ("check",): ("missing FILE",),
                ("sample",): ("missing RUN",),
                ("run", self.points, "--device", "tpu"): ('there is no device "tpu"', "cpu, cuda or auto"),
                ("run", self.folder / "absent.toml"): ("absent.toml",)}.items():
            done = PERRIN(*arguments, expect=None)
            with self.subTest(arguments=arguments):
                self.assertEqual(2, done.returncode, describe(done))
                self.assertMessage(done.stderr, "error: ", *parts)
                self.assertEqual("", done.stdout)


class Check(InFolder):
    def test_check_prints_shapes_parameters_and_costs(self):
        done = PERRIN("check", self.images)
        self.assertMessage(done.stdout, f"{self.images}: fine", "image [1, 8, 8], label [] of 8 classes", "vector [16]",
                           "[1, 8, 8] -> [1, 8, 8]", "forward", "FLOP forward a sample", 'stage "train": 6 steps',
                           "sampling at t = 999 666 332", "resolved experiment (", 'use = "unet"')
        self.assertEqual("", done.stderr)

    def test_check_json_agrees_with_the_text(self):
        text = PERRIN("check", self.points).stdout
        r = json.loads(PERRIN("check", self.points, "--json").stdout)
        # 16 wide on 2 values: in, out, two time layers, three residual layers of two, each with its bias.
        expected = (2 * 16 + 16) + (16 * 2 + 2) + 2 * (16 * 16 + 16) + 3 * 2 * (16 * 16 + 16)
        self.assertEqual(expected, r["parameters"]["denoiser"])
        self.assertIn(f"{expected} (2.26 k)", text)
        self.assertEqual([999, 749, 499, 249], r["sampling_times"])
        # sqrt((1 - abar) / abar) of the linear schedule at t = 999 (2305.08891, Table 1: abar / (1 - abar) = 4.036e-5).
        self.assertAlmostEqual(4.035993e-05 ** -0.5, r["sampling_levels"][0], delta=1e-3)
        self.assertIn(" sigma / alpha = 157.407 ", text)
        self.assertEqual(65536, r["samples_in_dataset"])
        self.assertEqual("mlp", r["experiment"]["denoiser"]["use"])
        self.assertEqual(3 * 8 * r["stages"][0]["forward_flops_per_sample"], r["stages"][0]["flops_per_step"])
        self.assertIn(r["hash"][:8], text)

    def test_check_json_has_what_plugins_warn_of(self):
        self.assertEqual([], json.loads(PERRIN("check", self.points, "--json").stdout)["warnings"])
        (self.folder / "data").mkdir(exist_ok=True)
        for name in ("a.png", "b.bmp"):
            Image.new("RGB", (8, 8)).save(self.folder / "data" / name)
        pictures = write(self.folder / "pictures.toml", "[experiment]\nname = \"p\"\n" + PICTURES + SMALL_UNET + "[[stage]]\nsteps = 1\n")
        said = json.loads(PERRIN("check", pictures, "--json", cwd=self.folder).stdout)["warnings"]
        self.assertEqual(1, len(said), said)
        self.assertIn("b.bmp", said[0])

    def test_check_shows_where_a_guide_of_another_schedule_does_not_reach(self):
        ldm = write(self.folder / "ldm.toml", POINTS.replace('"linear"', '"scaled-linear"'))
        guide = PERRIN("run", ldm, cwd=self.folder).stdout.splitlines()[-1]
        guided = ["check", self.points, "--set", f"guidance={{use='autoguidance', guide='{guide}'}}"]
        r = json.loads(PERRIN(*guided, "--json").stdout)
        self.assertAlmostEqual(14.615, r["guide_levels"][0], delta=0.003)  # 2404.14507: SD's sigma at t = 999
        for own, other in zip(r["sampling_levels"], r["guide_levels"]):
            self.assertAlmostEqual(min(own, r["guide_levels"][0]), other, delta=1e-9 * own)
        self.assertIn("the guide's, its nearest = 14.61", PERRIN(*guided).stdout)
        self.assertNotIn("guide", PERRIN("check", self.points).stdout.split("resolved")[0])

    def test_check_reports_all_faults_at_once_and_exits_2(self):
        bad = write(self.folder / "bad.toml", POINTS.replace("width", "widht").replace("linear", "linea"))
        done = PERRIN("check", bad, expect=2)
        self.assertMessage(done.stderr, f"{bad}:8:1: error: unknown key \"widht\"", 'did you mean "width"?',
                           f"{bad}:10:7: error: no schedule is called \"linea\"", "2 errors in")
        self.assertEqual("", done.stdout)

    def test_check_writes_nothing(self):
        empty = self.folder / "empty"
        empty.mkdir()
        PERRIN("check", self.points, cwd=empty)
        self.assertEqual([], list(empty.iterdir()))


class Run(InFolder):
    def test_the_last_line_is_the_folder_and_results_lie_in_it(self):
        done = PERRIN("run", self.points, cwd=self.folder)
        run = pathlib.Path(done.stdout.splitlines()[-1])
        self.assertEqual(self.folder / "results/points", run.parent)
        self.assertRegex(run.name, r"^\d{8}-\d{6}-[0-9a-f]{8}$")
        names = {str(p.relative_to(run)) for p in run.rglob("*") if p.is_file()}
        self.assertEqual({"run.h5", "run.log", "experiment.toml", "origin.txt", "data.safetensors", "inputs.jsonl",
                          "samples/step-00000020.png",
                          "checkpoints/step-00000015.safetensors", "checkpoints/step-00000020.safetensors"}, names)
        self.assertEqual("finished", status(run))
        self.assertMessage(done.stdout, "finished in", "loss      train:", "results   ", "samples   ")

    def test_neither_stream_has_escape_codes_when_piped(self):
        for arguments in (["run", self.points, "--out", self.folder / "plain"], ["show", self.folder / "plain"],
                          ["sample", self.folder / "plain"], ["check", self.points], ["plugin", "list"]):
            done = PERRIN(*arguments)
            self.assertNotIn(ESCAPE, done.stdout + done.stderr, describe(done))
            self.assertNotIn("\r", done.stdout + done.stderr, describe(done))

    def test_no_color_is_obeyed_on_a_terminal(self):
        PERRIN("run", self.points, "--out", self.folder / "colour")
        seen = {}
        for no_color in ({}, {"NO_COLOR": "1"}):
            ours, theirs = pty.openpty()
            process = subprocess.Popen([PERRIN.binary, "show", self.folder / "colour"], stdin=theirs, stdout=theirs,
                                       stderr=theirs, env=PERRIN.environment | no_color)
            os.close(theirs)
            text = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                text += part
            os.close(ours)
            self.assertEqual(0, process.wait(), text)
            seen[bool(no_color)] = len(re.findall(rb"\x1b\[[0-9;]*m", text))
        print(f"\ncolour codes on a terminal: {seen[False]}, with NO_COLOR: {seen[True]}")
        self.assertGreater(seen[False], 0)
        self.assertEqual(0, seen[True])

    def test_json_set_and_seed(self):
        one, two, three = (self.folder / f"json-{i}" for i in range(3))
        summary = last_json(PERRIN("run", self.points, "--out", one, "--json").stdout)
        self.assertEqual({"run": str(one), "results": str(one / "run.h5"), "exit": 0},
                         {k: summary[k] for k in ("run", "results", "exit")})
        self.assertTrue(pathlib.Path(summary["samples"]).exists())
        self.assertEqual(["train"], list(summary["loss"]))
        PERRIN("run", self.points, "--out", two, "--seed", 1, "--set", "stage.steps=10", "--set", "schedule.use=cosine")
        with h5py.File(two / "run.h5", "r") as f:
            params = {k: v.decode() for k, v in f["config/params"].attrs.items()}
            self.assertEqual(list(range(1, 11)), f["metrics/train/step"][:].tolist())
            self.assertIn(f"--out {two} --seed 1", f["provenance"].attrs["argv"].decode())
        self.assertEqual(("1", "10", "cosine"), tuple(params[k] for k in ("experiment.seed", "stage.train.steps", "schedule.use"))
                         if "stage.train.steps" in params else
                         (params["experiment.seed"], params["stage.0.steps"], params["schedule.use"]))
        # The resolved file composes the same experiment again.
        PERRIN("run", two / "experiment.toml", "--out", three)
        self.assertEqual([], differences(everything(two), everything(three)))

    def test_a_folder_that_exists_is_refused_and_left_alone(self):
        run = self.folder / "exists"
        PERRIN("run", self.points, "--out", run)
        before = {p: p.stat().st_mtime_ns for p in run.rglob("*")}
        done = PERRIN("run", self.points, "--out", run, expect=1)
        self.assertMessage(done.stderr, "error: the run folder exists already", f"at:  {run}", f"perrin resume {run}", "--out")
        self.assertEqual(before, {p: p.stat().st_mtime_ns for p in run.rglob("*")})

    def test_loader_threads_change_no_bit(self):
        for name, file in {"two": self.two, "images": self.images}.items():
            runs = []
            for threads in range(3):
                out = self.folder / f"threads-{name}-{threads}"
                PERRIN("run", file, "--out", out, "--set", f"experiment.loader_threads={threads}")
                runs.append(everything(out))
            for threads in (1, 2):
                self.assertEqual([], differences(runs[0], runs[threads]), f"{name} with {threads} loader threads")
            print(f"\n{name}: {len(runs[0])} arrays are the same with 0, 1 and 2 loader threads")

    def test_bf16_trains_and_says_so(self):
        out = self.folder / "bf16"
        PERRIN("run", self.images, "--out", out, "--set", "stage.precision=bf16", "--set", "samples.precision=bf16")
        with h5py.File(out / "run.h5", "r") as f:
            self.assertTrue(np.isfinite(f["metrics/train/loss"][:]).all())
        self.assertTrue(all(v.dtype == np.float32 for v in safetensors.numpy.load_file(checkpoints(out)[-1]).values()))

    def test_files_beside_the_experiment_are_found_by_a_run_that_goes_on(self):
        beside, elsewhere = self.folder / "beside", self.folder / "elsewhere"
        beside.mkdir()
        elsewhere.mkdir()
        write(beside / "levels.csv", "betas\n" + "\n".join(["0.01"] * 1000))
        text = POINTS.replace('use = "linear"', 'use = "custom"\nfile = "levels.csv"')
        write(beside / "points.toml", text.replace("steps = 20", "steps = 4000").replace("_every = 5", "_every = 100"))
        run = elsewhere / "run"
        process = PERRIN.start("run", "../beside/points.toml", "--out", run, cwd=elsewhere)
        wait_until(lambda: checkpoints(run), process, "first checkpoint")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode, err)
        self.assertNotIn(str(self.folder), (run / "experiment.toml").read_text(), "the experiment stays portable")
        PERRIN("sample", run, cwd=self.folder)
        PERRIN("compare", run, "--samplers", "ddim", "--steps", 2, "--count", 2, cwd=self.folder)
        PERRIN("resume", run, cwd=self.folder)
        self.assertEqual("finished", status(run))
        # What lies in the run itself comes first; the folder of the experiment may be gone.
        (beside / "levels.csv").rename(run / "levels.csv")
        PERRIN("sample", run, cwd=self.folder)
        (run / "levels.csv").unlink()
        done = PERRIN("sample", run, cwd=self.folder, expect=None)
        self.assertNotEqual(0, done.returncode)
        self.assertMessage(done.stderr, 'there is no file or folder "levels.csv"', str(run / "levels.csv"),
                           str(beside / "levels.csv"))


class Results(InFolder):
    def test_h5py_and_xarray_read_a_real_run(self):
        run = self.folder / "run"
        PERRIN("run", self.two, "--out", run)
        with h5py.File(run / "run.h5", "r") as f:
            self.assertEqual(b"perrin.run/1", f.attrs["schema"])
            self.assertEqual(run.name, f.attrs["run_id"].decode())
            self.assertEqual((run / "experiment.toml").read_bytes(), f["config/toml"][()])
            self.assertEqual("1/s", f["metrics/system/throughput"].attrs["units"].decode())
            self.assertEqual("B", f["metrics/system/memory"].attrs["units"].decode())
            self.assertEqual("s", f["metrics/system/step_time"].attrs["units"].decode())
            used = dict(zip(f["provenance/plugins/kind"][:], f["provenance/plugins/id"][:]))
            self.assertEqual((b"mlp", b"ddim"), (used[b"denoiser"], used[b"sampler"]))
            self.assertTrue(all(len(h) == 64 for h in f["provenance/plugins/sha256"][:]))
            images, steps = f["images/samples/data"], f["images/samples/step"][:].tolist()
            self.assertEqual([14, 28, 42, 56, 70, 80, 90, 100, 110, 120], sorted(set(steps) | {70}))
            picture = pixels(run / "samples/step-00000120.png")
            np.testing.assert_array_equal(picture, images[-1].reshape(picture.shape))
        # Stage one logs its first step and every third, stage two every step.
        expected = [1] + list(range(3, 61, 3)) + list(range(61, 121))
        for engine in ("netcdf4", "h5netcdf"):
            with xr.open_dataset(run / "run.h5", group="metrics/train", engine=engine) as train:
                self.assertEqual({"loss", "lr", "grad_norm", "loss_l2", "wall_time"} | {f"loss_t{i}" for i in range(10)},
                                 set(train.data_vars))
                self.assertEqual(expected, train["step"].values.tolist())
                np.testing.assert_array_equal(train["loss"], train["loss_l2"])
                self.assertTrue((np.diff(train["wall_time"]) >= 0).all())
                # Warm-up over five steps to 1e-3, cosine to 0 at step 60, then constant 5e-4.
                lr = train["lr"].sel(step=[1, 3, 60, 61]).values
                np.testing.assert_allclose(lr, [2e-4, 6e-4, 0, 5e-4], rtol=1e-12, atol=1e-18)
            with xr.open_dataset(run / "run.h5", group="metrics/system", engine=engine) as system:
                self.assertTrue((system["memory"] > 1e6).all())

    def test_show_draws_a_finished_run_and_prints_json(self):
        run = self.folder / "shown"
        PERRIN("run", self.points, "--out", run)
        self.assertMessage(PERRIN("show", run).stdout, "finished", "loss")
        shown = json.loads(PERRIN("show", run, "--json").stdout)
        self.assertEqual("finished", shown["status"])


class Sample(InFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = {"two": cls.folder / "run-two", "images": cls.folder / "run-images"}
        for name, run in cls.runs.items():
            PERRIN("run", getattr(cls, name), "--out", run)

    def sample(self, run, name, *arguments):
        """The samples and labels of `perrin sample`, its picture's pixels, and what it printed."""
        done = PERRIN("sample", self.runs[run], "--out", self.folder / f"{run}-{name}", *arguments)
        arrays = safetensors.numpy.load_file(self.folder / f"{run}-{name}.safetensors")
        return arrays["samples"], arrays.get("labels"), pixels(self.folder / f"{run}-{name}.png"), done

    def test_the_batch_size_changes_no_sample(self):
        # The random numbers are the same to the bit (tests/unit/sample); matrix products are not: a BLAS sums in another order
        # for another number of rows, which is a few units in the last place of float32, carried through the steps.
        for run, shape in {"two": (70, 2), "images": (70, 1, 8, 8)}.items():
            found = {}
            for batch in (1, 7, 64):
                arguments = ["--count", 70, "--set", f"samples.batch_size={batch}"]
                found[batch] = self.sample(run, f"batch-{batch}", *arguments)[0]
                self.assertEqual(shape, found[batch].shape)
                self.assertTrue(np.isfinite(found[batch]).all())
            scale = np.abs(found[64]).max()
            error = {batch: float(np.abs(found[batch] - found[64]).max() / scale) for batch in (1, 7)}
            print(f"\n{run}: largest difference of any of 70 samples at batch size 1 and 7 from 64, of the largest value: {error}")
            self.assertLess(max(error.values()), 1e-5, run)
            self.assertEqual(70, len({s.tobytes() for s in found[64]}), "no two samples are alike")

    def test_a_grid_has_one_class_per_row_or_the_chosen_class(self):
        _, labels, picture, done = self.sample("images", "rows")
        self.assertEqual([i // 2 for i in range(16)], labels.tolist())
        self.assertEqual((2, np.uint8), (picture.ndim, picture.dtype))
        self.assertGreater(picture.std(), 0)
        self.assertEqual(str(self.folder / "images-rows.png"), done.stdout.splitlines()[-1])
        chosen = self.sample("images", "class", "--class", 3)
        self.assertEqual([3] * 16, chosen[1].tolist())
        # The same noise: the samples whose class was 3 before are the same, the others are not.
        rows = self.sample("images", "rows-again")[0]
        same = [bool((a == b).all()) for a, b in zip(rows, chosen[0])]
        self.assertEqual([i // 2 == 3 for i in range(16)], same)

    def test_each_option_changes_the_samples_and_a_repetition_does_not(self):
        base = self.sample("two", "base")[0]
        self.assertEqual(base.tobytes(), self.sample("two", "again")[0].tobytes())
        with h5py.File(self.runs["two"] / "run.h5") as f:  # what the run itself drew, with the same seed and weights
            picture = pixels(self.folder / "two-again.png")
            np.testing.assert_array_equal(picture, f["images/samples/data"][-1].reshape(picture.shape))
        for arguments in (["--seed", 1], ["--steps", 5], ["--guidance", 4], ["--sampler", "ddpm"], ["--sampler", "heun"],
                          ["--class", 1], ["--set", "sampler.eta=1.0"],
                          ["--checkpoint", checkpoints(self.runs["two"])[0]]):
            with self.subTest(arguments=arguments):
                other = self.sample("two", "other", *arguments)[0]
                self.assertEqual(base.shape, other.shape)
                self.assertTrue(np.isfinite(other).all())
                self.assertFalse((base == other).all())
        self.assertEqual((5, 2), self.sample("two", "few", "--count", 5)[0].shape)

    def test_another_sampler_keeps_the_levels_of_the_run(self):
        # Euler and ddim at eta 0 are one method (2010.02502, section 4.3): alike on the same levels only.
        levels = ["--set", "sampler.spacing=leading", "--set", "sampler.offset=1"]
        out = self.folder / "run-leading"
        PERRIN("run", self.two, "--out", out, *levels)
        self.runs["leading"] = out
        ddim, euler = (self.sample("leading", name, "--sampler", name)[0] for name in ("ddim", "euler"))
        np.testing.assert_allclose(euler, ddim, rtol=0, atol=1e-3 * np.abs(ddim).max())
        other = self.sample("leading", "trailing", "--sampler", "ddim", "--set", "sampler.spacing=trailing")[0]
        self.assertGreater(np.abs(other - ddim).max(), 1e-2 * np.abs(ddim).max())
        # Its own keys do not stay: euler has no eta.
        self.sample("two", "churn", "--set", "sampler.eta=1.0")
        self.sample("two", "no-eta", "--sampler", "euler")

    def test_guidance_is_the_scale_of_whichever_guidance_is_used(self):
        table = "guidance={use='adaptive-projected'}"
        chosen = self.sample("two", "apg", "--set", table, "--set", "guidance.scale=2.5")[0]
        self.assertEqual(chosen.tobytes(), self.sample("two", "apg-2", "--set", table, "--guidance", 2.5)[0].tobytes())
        done = PERRIN("sample", self.runs["two"], "--set", "guidance={use='cfg++'}", "--guidance", 2, expect=2)
        self.assertMessage(done.stderr, "scale", "1")

    def test_a_run_guides_another(self):
        weak = f"guidance={{use='autoguidance', guide='{self.runs['two']}'}}"
        base = self.sample("two", "unguided", "--set", "guidance={use='none'}")[0]
        same = self.sample("two", "itself", "--set", weak)[0]  # the guide is the run itself
        np.testing.assert_allclose(same, base, rtol=0, atol=1e-5 * np.abs(base).max())
        early = weak.replace(str(self.runs["two"]), str(checkpoints(self.runs["two"])[0]))
        self.assertFalse((self.sample("two", "earlier", "--set", early)[0] == base).all())
        done = PERRIN("sample", self.runs["images"], "--set", weak, expect=1)
        self.assertMessage(done.stderr, "the guide diffuses in [2], the guided model in [1, 8, 8]")
        done = PERRIN("check", self.points, "--set", "guidance={use='autoguidance', guide='nowhere'}", expect=2)
        self.assertMessage(done.stderr, 'there is no file or folder "nowhere"')

    def test_inversion_writes_the_latents_of_the_first_samples(self):
        run, stem = self.runs["two"], self.folder / "inverted"
        done = PERRIN("sample", run, "--sampler", "ddim-inversion", "--count", 40, "--steps", 50, "--out", stem)
        arrays = safetensors.numpy.load_file(f"{stem}.safetensors")
        self.assertEqual(((40, 2), (40,)), (arrays["samples"].shape, arrays["labels"].shape))
        self.assertTrue(np.isfinite(arrays["samples"]).all())
        self.assertFalse(pathlib.Path(f"{stem}.png").exists())
        self.assertNotIn(".png", done.stdout)
        done = PERRIN("check", self.points, "--set", "sampler.use=ddim-inversion", expect=2)
        self.assertMessage(done.stderr, "goes from data to noise", "perrin sample RUN --sampler ddim-inversion")

    def test_json_names_both_files(self):
        summary = last_json(PERRIN("sample", self.runs["two"], "--json", "--count", 4).stdout)
        self.assertEqual(4, summary["count"])
        self.assertEqual(str(self.runs["two"] / "samples/sample-0.png"), summary["picture"])
        with safetensors.safe_open(summary["arrays"], "numpy") as f:
            self.assertEqual(("perrin.samples/1", "0"), (f.metadata()["schema"], f.metadata()["seed"]))

    def test_wrong_requests_say_what_would_be_right(self):
        for arguments, code, parts in (
                (["--class", 8], 1, ("there is no class 8", "--class", "give 0 to 7")),
                (["--class", "3x"], 1, ('"3x" is no class', "--class", "give its number")),
                (["--class", "hue=1"], 1, ('the dataset has no label "hue"', "--class", "give one of label")),
                (["--steps", 2000], 2, ("cannot be sampled in 2000", "give 1 to 1000")),
                (["--count", 0], 2, ("samples.count",)),
                (["--sampler", "ddimm"], 2, ('did you mean "ddim"',)),
                (["--checkpoint", self.folder / "none.safetensors"], 1, ("none.safetensors", "No such file")),
                (["--checkpoint", self.folder / "two.toml"], 1, ("two.toml",))):
            with self.subTest(arguments=arguments):
                done = PERRIN("sample", self.runs["two"], *arguments, expect=None)
                self.assertEqual(code, done.returncode, describe(done))
                self.assertMessage(done.stderr, *parts)
        done = PERRIN("sample", self.folder, expect=1)
        self.assertMessage(done.stderr, "error: this is not a run folder: it has no experiment.toml",
                           "fix: name a folder that `perrin run` printed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
