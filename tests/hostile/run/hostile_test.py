"""Bad experiments, damaged files, full disks and a plugin that crashes: one clear message, nothing lost, and resume works.

Usage: hostile_test.py PERRIN HEALTHY_PLUGIN CRASHING_PLUGIN INTERRUPTING_PLUGIN EARLY_SIGNAL_LIBRARY
"""
import concurrent.futures
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np
import safetensors.numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "end_to_end/run"))
from program import (IMAGES, POINTS, SHAPES_KL, Program, checkpoints, describe, differences, everything, status, traces,
                     wait_until, write)

PERRIN = Program(sys.argv.pop(1))
HEALTHY, CRASHING, INTERRUPTING, EARLY_SIGNAL = (pathlib.Path(sys.argv.pop(1)) for _ in range(4))
TRACES_OF_A_CRASH = ("frame #", "Exception raised from", "terminate called", "Aborted", "core dumped", "c10::Error")


class Hostile(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.run_folder = self.folder / "run"

    def write(self, text, name="e.toml"):
        return write(self.folder / name, text)

    def refused(self, code, parts, *arguments, **environment):
        """Runs the program: exit `code`, each of `parts` on stderr, an error and no sign of a crash."""
        done = PERRIN(*arguments, expect=None, **environment)
        self.assertEqual(code, done.returncode, describe(done))
        self.assertRegex(done.stderr, r"\berror: ", describe(done))
        for part in parts:
            self.assertIn(part, done.stderr, describe(done))
        for trace in TRACES_OF_A_CRASH:
            self.assertNotIn(trace, done.stderr)
        self.assertLess(len(done.stderr.splitlines()), 20, describe(done))
        return done

    def refused_before_anything_runs(self, text, *parts, code=2):
        self.refused(code, parts, "run", self.write(text), "--out", self.run_folder)
        self.assertFalse(self.run_folder.exists(), "a refused experiment leaves no folder")
        self.refused(code, parts, "check", self.folder / "e.toml")


class Experiments(Hostile):
    def test_noise_prediction_on_a_schedule_that_ends_in_pure_noise(self):
        reason = ("the schedule ends in pure noise (alpha = 0, zero terminal SNR)", "use parameterization v or x0")
        text = POINTS.replace('use = "linear"', 'use = "linear"\nzero_terminal_snr = true')
        self.refused_before_anything_runs(text, f"{self.folder}/e.toml:9:", *reason)  # its [schedule]: the other table is a default
        text += '[parameterization]\nuse = "epsilon"\n'
        line = text.splitlines().index("[parameterization]") + 1
        self.refused_before_anything_runs(text, f"{self.folder}/e.toml:{line}:", *reason)

    def test_shapes_that_do_not_fit(self):
        unet = POINTS.replace('use = "mlp"\nwidth = 16', 'use = "unet"\nchannels = [8, 8, 8]\ngroups = 4')
        at = f"{self.folder}/e.toml:6:"
        self.refused_before_anything_runs(unet, at, "unet needs images [C, H, W]; the input is [2]. For vectors use mlp")
        self.refused_before_anything_runs(unet.replace("gaussian-mixture\"", 'gaussian-mixture"\nshape = [1, 6, 6]'),
                                          f"{self.folder}/e.toml:7:", "[1, 6, 6], and 3 levels need height and width divisible by 4",
                                          "give images of shape [1, 8, 8]")
        PERRIN("check", self.write(IMAGES.replace('use = "unet"\nchannels = [8]\ngroups = 4\nhead_channels = 8', 'use = "mlp"')))

    def test_unknown_components_and_keys(self):
        self.refused_before_anything_runs(POINTS.replace('"mlp"', '"mpl"'), f"{self.folder}/e.toml:7:7: error: no denoiser",
                                          'did you mean "mlp"?')
        self.refused_before_anything_runs(POINTS.replace("batch_size", "batchsize"), 'unknown key "batchsize"',
                                          'did you mean "batch_size"?')

    def test_stages_that_cannot_train(self):
        self.refused_before_anything_runs(POINTS.replace("steps = 20", 'steps = 20\ntrain = ["encoder"]'), f"{self.folder}/e.toml:",
                                          "the encoder has no parameters to train", "take it out of `train`")
        late = POINTS.replace("[sampler]", '[[stage.loss]]\nuse = "l2"\nstart = 5\n[sampler]')
        self.refused_before_anything_runs(late, f"{self.folder}/e.toml:", "counts at its first step", "give one term start = 0")

    def test_a_dataset_that_is_not_there(self):
        text = POINTS.replace('"gaussian-mixture"', '"fashion-mnist"\nfolder = "/nowhere/at/all"')
        self.refused_before_anything_runs(text, 'there is no file or folder "/nowhere/at/all"', "train-images-idx3-ubyte",
                                          "dataset-fashion-mnist", '"fashion-mnist" (perrin-datasets.so)', code=1)

    def test_a_condition_on_data_without_classes(self):
        self.refused_before_anything_runs(POINTS + '[conditioner]\nuse = "class-label"\nfield = "colour"\n',
                                          'the dataset has no field "colour"; it has: image, label')


class NotANumber(Hostile):
    def test_the_run_stops_with_step_term_and_samples_and_keeps_its_checkpoint(self):
        text = POINTS.replace("lr = 1e-3", "lr = 1e30").replace("checkpoint_every = 5", "checkpoint_every = 1")
        done = self.refused(1, ('the loss term "l2" is NaN; dataset samples with such a value: ', "at:  step 2",
                                "fix: lower the learning rate, set clip_norm", "the last checkpoint is unharmed"),
                            "run", self.write(text), "--out", self.run_folder)
        samples = re.search(r"such a value: ([\d ]+)", done.stderr)[1].split()
        print(f"\nstopped at step 2, samples {samples}")
        self.assertEqual(8, len(set(samples)))
        self.assertTrue(all(0 <= int(s) < 65536 for s in samples))
        self.assertEqual(["step-00000001.safetensors"], [p.name for p in checkpoints(self.run_folder)])
        safetensors.numpy.load_file(checkpoints(self.run_folder)[0])
        self.assertEqual("failed", status(self.run_folder))
        self.assertIn("is NaN", (self.run_folder / "run.log").read_text())
        again = self.refused(1, ("at:  step 2",), "resume", self.run_folder)
        self.assertEqual(done.stderr.splitlines()[-3:], again.stderr.splitlines()[-3:], "the same step, term and samples")


class Damage(Hostile):
    """A run stopped by a signal with two checkpoints, of a model small enough to cut everywhere."""
    TEXT = POINTS.replace("width = 16", "width = 8\nlayers = 1").replace("steps = 20", "steps = 300", 1).replace(
        "checkpoint_every = 5", "checkpoint_every = 50")

    def setUp(self):
        super().setUp()
        file = self.write(self.TEXT)
        PERRIN("run", file, "--out", self.folder / "whole")
        self.expected = everything(self.folder / "whole")
        process = PERRIN.start("run", file, "--out", self.run_folder)
        wait_until(lambda: len(checkpoints(self.run_folder)) >= 2, process, "two checkpoints")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)

    def copy(self, name):
        return pathlib.Path(shutil.copytree(self.run_folder, self.folder / name))

    def test_a_checkpoint_cut_at_every_kilobyte_is_passed_over_for_the_older_one(self):
        newest = checkpoints(self.run_folder)[-1]
        size = newest.stat().st_size

        def resumed(cut):
            run = self.copy(f"cut-{cut}")
            with open(run / "checkpoints" / newest.name, "r+b") as f:
                f.truncate(cut)
            sampled = PERRIN("sample", run, "--count", 2)
            done = PERRIN("resume", run)
            for text in (sampled.stderr, done.stderr):
                self.assertIn(f"warning: skipped a checkpoint: {newest.name}: ", text)
            return differences(self.expected, everything(run))

        cuts = list(range(0, size, 1024)) + [size - 1]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = list(pool.map(resumed, cuts))
        print(f"\n{newest.name} of {size} bytes cut at {len(cuts)} places: each resumed from the older one, "
              f"{sum(not d for d in found)} ended bit-identical to the run that was not stopped")
        for cut, different in zip(cuts, found):
            self.assertEqual([], different, f"cut at {cut}")

    def test_no_readable_checkpoint_is_an_error_and_drops_no_rows(self):
        for file in checkpoints(self.run_folder):
            with open(file, "r+b") as f:
                f.truncate(1000)
        before = traces(self.run_folder)
        self.refused(1, ("error: none of the run's checkpoints can be read", f"at:  {self.run_folder}/checkpoints",
                         "delete them to start again from step 0"), "resume", self.run_folder)
        self.assertEqual([], differences(before, traces(self.run_folder)))
        self.refused(1, ("the run has no usable checkpoint yet",), "sample", self.run_folder)
        for file in checkpoints(self.run_folder):
            file.unlink()
        self.assertIn("no checkpoint yet: starting from step 0", PERRIN("resume", self.run_folder).stderr)
        self.assertEqual([], differences(self.expected, everything(self.run_folder)))

    def test_results_of_another_schema_are_refused_and_left_alone(self):
        for schema in (np.bytes_("perrin.run/9"), "perrin.run/9"):  # of fixed length, and of variable as h5py writes a text
            with h5py.File(self.run_folder / "run.h5", "r+") as f:
                f.attrs["schema"] = schema
            before = (self.run_folder / "run.h5").read_bytes()
            for command in ("resume", "show"):
                self.refused(1, ('has schema "perrin.run/9", expected "perrin.run/1"', f"{self.run_folder}/run.h5"), command,
                             self.run_folder)
            self.assertEqual(before, (self.run_folder / "run.h5").read_bytes())

    def test_texts_of_variable_length_are_read(self):
        with h5py.File(self.run_folder / "run.h5", "r+") as f:
            f.attrs["run_id"] = "renamed-\u00fc"
            text = f["config/toml"][()].decode()
            del f["config/toml"]
            f["config/toml"] = text
        self.assertIn("renamed-\u00fc", PERRIN("show", self.run_folder).stdout)
        PERRIN("resume", self.run_folder)
        self.assertEqual([], differences(self.expected, everything(self.run_folder)))

    def test_a_damaged_experiment_file_is_refused_at_its_place(self):
        file = self.run_folder / "experiment.toml"
        file.write_text(file.read_text().replace("[dataset]", "[dataset", 1))
        self.refused(2, (f"{file}:",), "resume", self.run_folder)
        file.write_text((self.folder / "e.toml").read_text().replace("lr = 1e-3", "lr = 2e-3"))
        self.refused(1, ("the checkpoint belongs to another experiment", "resume with the run's own experiment.toml"),
                     "resume", self.run_folder)


class Disks(Hostile):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()

    def mount(self, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk], capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"needs the right to mount a tmpfs: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk])

    def test_a_read_only_disk_is_named(self):
        self.mount("ro")
        self.refused(1, ("Read-only file system", str(self.disk), "--out"), "run", self.write(POINTS), "--out", self.disk / "run")

    def test_a_disk_that_fills_at_any_moment_loses_nothing_and_resume_goes_on(self):
        self.mount("size=4m")
        file = self.write(POINTS.replace("steps = 20", "steps = 200\nsample_every = 60", 1).replace("checkpoint_every = 5",
                                                                                                 "checkpoint_every = 20"))
        outside = {"cwd": self.folder}  # of any git checkout, whose changes the results file would hold
        PERRIN("run", file, "--out", self.folder / "whole", **outside)
        expected = everything(self.folder / "whole")
        used = sum((p.stat().st_blocks * 512 for p in (self.folder / "whole").rglob("*") if p.is_file()))
        rows = []
        for left in (0, 8, 100, 270, 300, 330, 370, 410, 460, 520, 580):
            run = self.disk / f"run-{left}"
            free = int(subprocess.run(["stat", "-f", "-c", "%a", self.disk], capture_output=True, text=True).stdout) * 4
            (self.disk / "ballast").write_bytes(bytes(max(0, free - left) * 1024))
            done = PERRIN("run", file, "--out", run, expect=None, **outside)
            for trace in TRACES_OF_A_CRASH:
                self.assertNotIn(trace, done.stderr)
            message = " | ".join(done.stderr.splitlines()[-3:])
            if done.returncode != 0:
                self.assertEqual(1, done.returncode, describe(done))
                self.assertIn("No space left on device", done.stderr, describe(done))
                self.assertIn(str(self.disk), done.stderr)
                self.assertEqual(1, done.stderr.count("error: "), describe(done))
                for kept in checkpoints(run):
                    safetensors.numpy.load_file(kept)
            kept = [p.name for p in checkpoints(run)]
            (self.disk / "ballast").unlink()
            begun = (run / "experiment.toml").exists()
            if done.returncode != 0 and begun:
                PERRIN("resume", run, **outside)
            if begun:
                self.assertEqual([], differences(expected, everything(run)), f"{left} KiB left: {describe(done)}")
            rows.append((left, done.returncode, kept[-1] if kept else "-", "yes" if begun else "no folder", message[:100]))
            shutil.rmtree(run, ignore_errors=True)
        print(f"\na whole run takes {used // 1024} KiB\nKiB left  exit  last checkpoint             resumed    message")
        for left, code, kept, begun, message in rows:
            print(f"{left:8}  {code:4}  {kept:26}  {begun:9}  {message}")
        self.assertGreater(sum(code == 1 for _, code, *_ in rows), 5)
        self.assertGreater(sum(kept != "-" and code == 1 for _, code, kept, *_ in rows), 0, "none failed after a checkpoint")


class Interrupted(Hostile):
    """A signal that comes before the run has begun: one message, exit 130, no folder."""

    def stopped(self, command, text=POINTS, **environment):
        out = ("--out", self.run_folder) if command == "run" else ()
        self.refused(130, ("error: stopped before anything was written",), command, self.write(text), *out, **environment)
        self.assertFalse(self.run_folder.exists())

    def test_while_libraries_are_being_loaded(self):
        early = {"LD_PRELOAD": str(EARLY_SIGNAL), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.stopped("run", **early)
        self.stopped("check", **early)

    def test_while_a_plugin_is_being_created(self):
        self.stopped("run", POINTS.replace('use = "linear"', 'use = "bomb-interrupting"'),
                     PERRIN_PLUGIN_PATH=str(INTERRUPTING.parent))

    def test_resume_leaves_the_run_as_it_was(self):
        file = self.write(POINTS.replace("lr = 1e-3", "lr = 1e30").replace("checkpoint_every = 5", "checkpoint_every = 1"))
        PERRIN("run", file, "--out", self.run_folder, expect=1)
        before = {p: p.read_bytes() for p in self.run_folder.rglob("*") if p.is_file()}
        self.refused(130, ("error: stopped before anything was written",), "resume", self.run_folder,
                     LD_PRELOAD=str(EARLY_SIGNAL), ASAN_OPTIONS="verify_asan_link_order=0")
        self.assertEqual(before, {p: p.read_bytes() for p in self.run_folder.rglob("*") if p.is_file()})


class Pins(Hostile):
    """sha256 = "..." beside `use`: the library's hash, compared before it is loaded."""
    PLACE = 'use = "test.tied"'

    def setUp(self):
        super().setUp()
        self.text = POINTS.replace('use = "mlp"\nwidth = 16', self.PLACE)
        self.hash = hashlib.sha256(HEALTHY.read_bytes()).hexdigest()
        self.environment = {"PERRIN_PLUGIN_PATH": str(HEALTHY.parent)}

    def pinned(self, pin):
        return self.text.replace(self.PLACE, f'{self.PLACE}\nsha256 = "{pin}"')

    def test_the_right_one_is_kept_in_the_run(self):
        file = self.write(self.pinned(self.hash.upper()))
        PERRIN("run", file, "--out", self.run_folder, **self.environment)
        self.assertIn(f'sha256 = "{self.hash}"', (self.run_folder / "experiment.toml").read_text())
        shown = PERRIN("plugin", "show", "test.tied", **self.environment).stdout
        self.assertIn(f"sha256: {self.hash}", shown)

    def test_another_one_is_refused_with_both_hashes(self):
        wrong = "ab" * 32
        file = self.write(self.pinned(wrong))
        parts = (f"{file}:6:", f"pins sha256 {wrong}", f"{HEALTHY.resolve()} has {self.hash}", "change the pin if you trust this one")
        self.refused(2, parts, "run", file, "--out", self.run_folder, **self.environment)
        self.assertFalse(self.run_folder.exists())
        self.refused(2, parts, "check", file, **self.environment)

    def test_a_run_is_not_resumed_with_another_library(self):
        PERRIN("run", self.write(self.pinned(self.hash)), "--out", self.run_folder, "--set", "stage.steps=12", **self.environment)
        file = self.run_folder / "experiment.toml"
        shutil.rmtree(self.run_folder / "checkpoints")
        (self.run_folder / "run.h5").unlink()
        self.refused(2, (f"pins sha256 {self.hash}", f"{CRASHING.resolve()} has "), "resume", self.run_folder,
                     PERRIN_PLUGIN_PATH=str(CRASHING.parent))
        self.assertTrue(file.exists())

    def test_no_hash_is_refused_at_its_place(self):
        for pin in ("abc", self.hash + "0", self.hash.replace(self.hash[0], "g", 1), ""):
            file = self.write(self.pinned(pin))
            self.refused(2, (f"{file}:8:10: error: ", "is not a SHA-256: it has 64 hexadecimal digits", "perrin plugin show test.tied"),
                         "check", file, **self.environment)


class Commands(Hostile):
    def test_a_run_that_is_not_there(self):
        self.refused(2, ("RUN is empty",), "resume", "")
        for name in ("nope", self.folder / "nope"):
            for command in ("resume", "sample"):
                self.refused(1, ("fix: name a folder that `perrin run` printed",), command, name)
        self.refused(1, ("No such file or directory", "fix: correct the path"), "show", self.folder / "nope")

    def test_a_run_named_by_its_results_in_the_working_folder(self):
        PERRIN("run", self.write(POINTS), "--out", self.run_folder)
        self.assertIn("nothing to do", PERRIN("resume", "run.h5", cwd=self.run_folder).stderr)

    def test_a_negative_seed(self):
        self.refused(2, ('"seed" is out of range: -3', "allowed: >= 0"), "run", self.write(POINTS), "--seed", "-3")


class Surroundings(Hostile):
    def test_pipes_and_devices_are_not_waited_for(self):
        pipe = self.folder / "pipe.toml"
        os.mkfifo(pipe)
        for file in (pipe, "/dev/zero"):
            for command in ("check", "run"):
                self.refused(2, ("is no file but a pipe, a socket or a device",), command, file)
            self.refused(2, ("e.toml:1:11: error: cannot include", "a pipe, a socket or a device"), "check",
                         self.write(f'include = "{file}"\n' + POINTS))
            self.refused(1, ("is not a file",), "show", file)

    def test_a_value_that_is_empty(self):
        file = self.write(POINTS)
        self.refused(2, ("--out is empty",), "run", file, "--out", "")
        self.refused(2, ("FILE is empty",), "check", "")
        PERRIN("run", file, "--out", self.run_folder)
        self.refused(2, ("--out is empty",), "sample", self.run_folder, "--out", "")
        self.refused(2, ("--checkpoint is empty",), "sample", self.run_folder, "--checkpoint", "")

    def test_a_working_folder_that_is_gone(self):
        gone = self.folder / "gone"
        for command in ("check", "show", "plugin"):
            gone.mkdir()
            done = subprocess.run(["sh", "-c", f'rmdir "{gone}"; exec "{PERRIN.binary}" {command} x.toml'], cwd=gone,
                                  capture_output=True, text=True)
            self.assertEqual(2, done.returncode, describe(done))
            self.assertIn("error: the working folder is gone", done.stderr)

    def test_standard_output_that_takes_nothing(self):
        file = self.write(POINTS)
        for command in (["plugin", "list"], ["check", file], ["check", file, "--json"], ["run", file, "--out", self.run_folder]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PERRIN.binary, *command], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(1, done.returncode, describe(done))
            self.assertIn("error: cannot write to standard output: No space left on device", done.stderr)
        self.assertEqual("finished", status(self.run_folder), "the run itself is whole")

    def test_a_reader_that_goes_away_stops_no_run(self):
        file = self.write(POINTS)
        for n, command in enumerate((["plugin", "list", "--json"], ["run", file, "--out", self.run_folder])):
            read, written = os.pipe()
            os.close(read)
            done = subprocess.run([PERRIN.binary, *command], stdout=written, stderr=written if n else subprocess.PIPE)
            os.close(written)
            self.assertEqual(141, done.returncode, describe(done))
        self.assertEqual("finished", status(self.run_folder))

    def test_json_in_a_folder_whose_name_is_no_utf8(self):
        folder = os.fsencode(self.folder) + b"/caf\xe9"
        os.mkdir(folder)
        (self.folder / "e.toml").write_text(POINTS)
        shutil.copy(self.folder / "e.toml", folder + b"/e.toml")
        done = subprocess.run([PERRIN.binary, "run", folder + b"/e.toml", "--out", folder + b"/run", "--json"], capture_output=True)
        self.assertEqual(0, done.returncode, describe(done))
        self.assertTrue(json.loads(done.stdout)["run"].endswith("caf\ufffd/run"))
        shown = subprocess.run([PERRIN.binary, "show", folder + b"/run", "--json"], capture_output=True, check=True)
        self.assertEqual("finished", json.loads(shown.stdout)["status"])

    def test_texts_of_files_cannot_steer_the_terminal(self):
        done = self.refused(2, (), "check", self.write(POINTS + "[\"\x7f\u009b31m\u202e\"]\n", name="e\x1b[31m.toml"))
        self.assertNotRegex(done.stderr, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
        PERRIN("run", self.write(POINTS), "--out", self.run_folder)
        with h5py.File(self.run_folder / "run.h5", "r+") as f:
            f.attrs["run_id"] = "\x1b]0;title\x07"
            f["provenance"].attrs["cpu"] = "\x1b[2J\nerror: forged"
        shown = PERRIN("show", self.run_folder).stdout
        self.assertNotRegex(shown, "[\x00-\x08\x0b-\x1f\x7f-\x9f]")
        self.assertNotRegex(shown, "(?m)^error: forged")


class Columns(Hostile):
    FIRST_STAGE = """
[experiment]
name = "first"
""" + SHAPES_KL + """[[stage]]
train = ["encoder"]
steps = 2
batch_size = 2
[[stage.loss]]
use = "l2"
[[stage.loss]]
use = "adversarial"
name = "a"
channels = 4
layers = 2
[[stage.loss]]
use = "l1"
name = "a_opponent"
"""

    def test_two_things_that_would_write_one_column(self):
        losses = '[[stage.loss]]\nuse = "l2"\nname = "t0"\n'
        self.refused_before_anything_runs(POINTS.replace("[sampler]", losses + "[sampler]"), f"{self.folder}/e.toml:17:",
                                          'column "loss_t0" would be written by term t0 and by the loss by time')
        line = self.FIRST_STAGE.splitlines().index('name = "a_opponent"') - 1
        self.refused_before_anything_runs(self.FIRST_STAGE, f"{self.folder}/e.toml:{line}:",
                                          'column "loss_a_opponent" would be written by', "the second player of term a",
                                          "give the loss another name")
        PERRIN("check", self.write(self.FIRST_STAGE.replace("a_opponent", "b_opponent")))


class Datasets(Hostile):
    NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

    def test_a_corrupt_body_is_found_before_there_is_a_run(self):
        random = np.random.default_rng(0)
        n = 500
        images = bytes((0, 0, 8, 3)) + struct.pack(">III", n, 28, 28) + random.integers(0, 256, n * 784, np.uint8).tobytes()
        labels = bytes((0, 0, 8, 1)) + struct.pack(">I", n) + random.integers(0, 10, n, np.uint8).tobytes()
        whole = {name: gzip.compress(images if "images" in name else labels) for name in self.NAMES[:2]}
        crc = bytearray(whole[self.NAMES[0]])
        crc[-6] ^= 0xff
        cut = whole[self.NAMES[0]][:200_000]
        text = POINTS.replace('"gaussian-mixture"', f'"fashion-mnist"\nfolder = "{self.folder}"').replace(
            'use = "mlp"\nwidth = 16', 'use = "mlp"\nwidth = 4')
        for name, data in whole.items():
            (self.folder / f"{name}.gz").write_bytes(data)
        PERRIN("check", self.write(text))
        for data, reason in ((crc, "the gzip data is corrupt"), (cut, "the gzip data ends too early: the file is truncated")):
            (self.folder / f"{self.NAMES[0]}.gz").write_bytes(data)
            self.refused_before_anything_runs(text, f"{self.folder}/{self.NAMES[0]}.gz: {reason}", "copy or download it again", code=1)


class Plugins(Hostile):
    def test_a_plugin_that_crashes_in_training_is_named_and_a_healthy_one_goes_on(self):
        file = self.write(POINTS.replace('use = "mlp"\nwidth = 16', 'use = "test.tied"'))
        healthy, crashing = ({"PERRIN_PLUGIN_PATH": str(p.parent)} for p in (HEALTHY, CRASHING))
        PERRIN("run", file, "--out", self.folder / "whole", **healthy)
        self.refused(1, (f"error: plugin {CRASHING.resolve()} ended the process: segmentation fault in forward of component test.tied",
                         "fix: report it to the plugin's author, or use another component; the run can be resumed"),
                     "run", file, "--out", self.run_folder, **crashing)
        self.assertEqual(["step-00000005.safetensors", "step-00000010.safetensors"], [p.name for p in checkpoints(self.run_folder)])
        self.refused(1, ("segmentation fault in forward",), "resume", self.run_folder, **crashing)
        self.refused(2, ('no denoiser is called "test.tied"',), "resume", self.run_folder)
        self.refused(1, ('the plugin of denoiser "test.tied"', "--accept-changes"), "resume", self.run_folder, **healthy)
        PERRIN("resume", self.run_folder, "--accept-changes", **healthy)
        self.assertEqual("finished", status(self.run_folder))
        self.assertEqual([], differences(everything(self.folder / "whole"), everything(self.run_folder)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
