"""What happens when the data, the plugins, the experiment or the files of a run are other ones than before.

Usage: changed_test.py PERRIN
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np
from PIL import Image

from program import PICTURES, POINTS, SMALL_AUTOENCODER, SMALL_UNET, Program, checkpoints, differences, everything, traces, status, write

PERRIN = Program(sys.argv.pop(1))
LATENT = """
[experiment]
name = "changed"
""" + PICTURES.replace("8", "16") + """channels = 1
""" + SMALL_AUTOENCODER + """cache = true
scale_factor = 1.0
""" + SMALL_UNET + """
[[stage]]
name = "diffusion"
train = ["denoiser"]
steps = 2
batch_size = 2
log_every = 1
optimizer = { use = "adamw", lr = 1e-3 }
[sampler]
steps = 2
[samples]
count = 1
columns = 1
"""
PIXELS = re.sub(r"\[encoder\].*?\n\[", "[", LATENT, flags=re.S).replace("steps = 2\nbatch", "steps = 4\ncheckpoint_every = 1\nbatch")


def picture(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((16, 16), level, np.uint8)).save(path)


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.cache = self.folder / "cache"
        self.environment = {"XDG_CACHE_HOME": str(self.cache)}
        self.runs = 0

    def perrin(self, *arguments, expect=0, **environment):
        return PERRIN(*arguments, cwd=self.folder, expect=expect, **(self.environment | environment))

    def run_of(self, text, *options, where="", **environment):
        """A new run's folder and what was said."""
        self.runs += 1
        run = self.folder / f"run-{self.runs}"
        place = self.folder / where
        place.mkdir(exist_ok=True)
        done = self.perrin("run", write(place / "e.toml", text), "--out", run, *options, **environment)
        return run, done.stderr

    def stopped(self, text, steps, *options, **environment):
        """A run of which checkpoints and rows are there up to `steps`, as after a kill."""
        run, _ = self.run_of(text, *options, **environment)
        for file in checkpoints(run):
            if int(file.stem.split("-")[1]) > steps:
                file.unlink()
        with h5py.File(run / "run.h5", "r+") as f:
            f.attrs["status"] = np.bytes_("running")
        return run


class Latents(Scratch):
    def setUp(self):
        super().setUp()
        for name, level in (("1.png", 10), ("2.png", 200), ("3.png", 90)):
            picture(self.folder / "data" / name, level)
        time.sleep(2.1)  # so that their hashes are remembered

    def files(self):
        return sorted((self.cache / "perrin/latents").glob("*"))

    def as_without_a_cache(self, where=""):
        """Runs with this cache and with an empty one: the same bits. What was said with this cache."""
        used, said = self.run_of(LATENT, where=where)
        fresh, _ = self.run_of(LATENT, where=where, XDG_CACHE_HOME=str(self.folder / f"empty-{self.runs}"))
        self.assertEqual([], differences(everything(fresh), everything(used)))
        return said

    def test_no_latent_of_other_data_is_ever_used(self):
        data = self.folder / "data"
        self.assertIn("encoding 3 samples once", self.as_without_a_cache())
        self.assertNotIn("encoding", self.as_without_a_cache())
        before = os.stat(data / "1.png")
        picture(data / "1.png", 30)  # an edit
        os.utime(data / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertIn("encoding 3 samples once", self.as_without_a_cache())
        picture(data / "0.png", 250)
        self.assertIn("encoding 4 samples once", self.as_without_a_cache())
        (data / "0.png").rename(data / "4.png")
        self.assertIn("encoding 4 samples once", self.as_without_a_cache())
        (data / "2.png").rename(data / "x"), (data / "3.png").rename(data / "2.png"), (data / "x").rename(data / "3.png")
        self.assertIn("encoding 4 samples once", self.as_without_a_cache())
        (data / "4.png").unlink()
        self.assertIn("encoding 3 samples once", self.as_without_a_cache())

    def test_another_folder_is_other_data_and_a_moved_one_is_not(self):
        self.as_without_a_cache()
        for name in ("1.png", "2.png", "3.png"):
            picture(self.folder / "other" / "data" / name, 77)
        self.assertIn("encoding 3 samples once", self.as_without_a_cache("other"))
        (self.folder / "moved").mkdir()
        shutil.move(self.folder / "data", self.folder / "moved/data")
        self.assertNotIn("encoding", self.as_without_a_cache("moved"))

    def test_a_flipped_bit_anywhere_is_found(self):
        self.as_without_a_cache()
        (file,) = self.files()
        whole = file.read_bytes()
        for at in (3, 200, 4096, 4096 + 777, len(whole) - 1):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1:])
            self.as_without_a_cache()
            self.assertEqual(whole, file.read_bytes(), at)

    def test_a_killed_writer_leaves_nothing_and_two_runs_encode_once(self):
        (self.cache / "perrin/latents").mkdir(parents=True)
        left = self.cache / "perrin/latents" / ("ab" * 32 + ".part")
        left.write_bytes(b"x")
        processes = [PERRIN.start("run", write(self.folder / "e.toml", LATENT), "--out", self.folder / f"both-{n}",
                                  **self.environment) for n in range(2)]
        said = [p.communicate(timeout=120)[1] for p in processes]
        self.assertEqual([0, 0], [p.returncode for p in processes], said)
        self.assertEqual(1, sum("encoding 3 samples" in s for s in said), said)
        self.assertEqual([".latents"], [f.suffix for f in self.files()])
        self.assertEqual([], differences(everything(self.folder / "both-0"), everything(self.folder / "both-1")))

    def test_what_lies_in_the_cache_is_private_listed_and_pruned(self):
        self.run_of(LATENT)
        for file in (self.cache / "perrin").rglob("*"):
            self.assertEqual(0o700 if file.is_dir() else 0o600, file.stat().st_mode & 0o777, file)
        self.assertEqual(0, (self.cache / "perrin").stat().st_mode & 0o022)
        (self.cache / "perrin/latents/old.f32").write_bytes(b"x")
        listed = json.loads(self.perrin("cache", "list", "--json").stdout)["files"]
        self.assertEqual({"index", "latents", "sums"}, {e["kind"] for e in listed})
        self.assertEqual(["image-folder by autoencoder [3, 4, 8, 8]"],
                         [e["what"] for e in listed if e["kind"] == "latents" and e["whole"]])
        self.assertIn("image-folder by autoencoder", self.perrin("cache", "list").stdout)
        self.assertIn("removed 1 file, 1 B", self.perrin("cache", "prune").stdout)
        self.assertIn("removed 0 files", self.perrin("cache", "prune", "--unused", "1").stdout)
        self.perrin("cache", "prune", "--all")
        self.assertEqual([], json.loads(self.perrin("cache", "list", "--json").stdout)["files"])
        self.assertIn("perrin cache list", self.perrin("cache", "--help").stdout)
        self.perrin("cache", "empty", expect=2)

    def test_data_that_say_nothing_about_themselves_are_encoded_for_this_start_alone(self):
        plugin = {"PERRIN_PLUGIN_PATH": os.environ["PLUGIN_BEFORE"]}
        text = re.sub(r'use = "image-folder".*?\n\[', 'use = "test.plain"\n[', LATENT, flags=re.S)
        for _ in range(2):
            run, said = self.run_of(text, **plugin)
            self.assertIn("encoding 16 samples for this start alone: the dataset does not say what it reads", said)
        self.assertFalse((self.cache / "perrin/latents").exists())
        self.assertEqual([], [f.name for f in run.iterdir() if f.name.startswith(".")])


class NoHome(Scratch):
    def test_nothing_is_kept_and_it_is_said_once(self):
        environment = {k: v for k, v in PERRIN.environment.items() if k not in ("HOME", "XDG_CACHE_HOME")}
        planted = pathlib.Path(tempfile.gettempdir()) / "perrin"
        was_there = planted.exists()
        run = self.folder / "run"
        done = subprocess.run([PERRIN.binary, "run", write(self.folder / "e.toml", POINTS), "--out", run], env=environment,
                              capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(1, done.stderr.count("note: nothing is kept in a cache: neither HOME nor XDG_CACHE_HOME"), done.stderr)
        self.assertEqual(was_there, planted.exists())
        listed = subprocess.run([PERRIN.binary, "cache", "list"], env=environment, capture_output=True, text=True)
        self.assertEqual(1, listed.returncode)
        self.assertIn("error: there is no cache: neither HOME", listed.stderr)


class Resumed(Scratch):
    def data(self):
        for name, level in (("1.png", 10), ("2.png", 200), ("3.png", 90)):
            picture(self.folder / "data" / name, level)

    def refused(self, run, *parts, **environment):
        before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
        done = self.perrin("resume", run, expect=1, **environment)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertEqual(before, {p: p.read_bytes() for p in run.rglob("*") if p.is_file()})

    def test_other_data_stop_it_unless_they_are_accepted(self):
        self.data()
        run = self.stopped(PIXELS, 3)
        whole, _ = self.run_of(PIXELS)
        self.perrin("resume", run)
        self.assertEqual([], differences(everything(whole), everything(run)))
        run = self.stopped(PIXELS, 3)
        picture(self.folder / "data/1.png", 11)
        picture(self.folder / "data/4.png", 12)
        (self.folder / "data/3.png").unlink()
        self.refused(run, "what the run reads has changed since its checkpoint of step 3", "1.png changed, 3.png is gone, 4.png is new",
                     "3 files of ", f"perrin resume {run} --accept-changes")
        done = self.perrin("resume", run, "--accept-changes")
        self.assertIn("warning: the data of image-folder: 1.png changed", done.stderr)
        self.assertIn("1.png changed", (run / "run.log").read_text())
        with h5py.File(run / "run.h5", "r") as f:
            self.assertIn("1.png changed", f["provenance"].attrs["from_step_3"].decode())
        self.assertEqual("finished", status(run))

    def test_another_build_of_a_plugin_stops_it_and_a_compatible_one_goes_on(self):
        before, after = ({"PERRIN_PLUGIN_PATH": os.environ[k]} for k in ("PLUGIN_BEFORE", "PLUGIN_AFTER"))
        text = re.sub(r'use = "image-folder".*?\n\[', 'use = "test.plain"\nlevel = 0.25\n[', PIXELS, flags=re.S)
        run = self.stopped(text, 3, **before)
        recorded = (run / "experiment.toml").read_text()
        self.assertNotIn("old = ", recorded)
        self.assertNotIn("deprecated", self.perrin("sample", run, **before).stderr)
        whole, _ = self.run_of(text, **before)
        self.refused(run, 'the plugin of dataset "test.plain" (1.0.0)', "plain.so has sha256 ", **after)
        done = self.perrin("resume", run, "--accept-changes", **after)
        self.assertIn("the run's components were updated since it was recorded", done.stderr)
        self.assertIn("nobody knows whether its data are those of before", done.stderr)
        self.assertEqual([], differences(everything(whole), everything(run)))

    def test_another_number_of_threads_is_said(self):
        self.data()
        run = self.stopped(PIXELS, 3)
        done = self.perrin("resume", run, OMP_NUM_THREADS="2")
        self.assertIn("warning: threads: 1 before, 2 now; the bits will be others", done.stderr)

    def test_a_finished_run_goes_on_where_its_last_stage_gets_more_steps(self):
        # A constant learning rate: the longer run is the one that had the steps from the beginning.
        longer = POINTS.replace("steps = 20", "steps = 30")
        whole, _ = self.run_of(longer)
        run, _ = self.run_of(POINTS)
        done = self.perrin("resume", run)
        self.assertIn("nothing to do (to lengthen it, raise `steps` of the last stage in ", done.stderr)
        file = run / "experiment.toml"
        file.write_text(file.read_text().replace("steps = 20\n", "steps = 30\n", 1))
        done = self.perrin("resume", run)
        self.assertIn("the run goes on to 30 steps instead of 20", done.stderr)
        expected, found = traces(whole), traces(run)
        self.assertEqual([], differences({k: v for k, v in expected.items() if k.startswith("train/")},
                                         {k: v for k, v in found.items() if k.startswith("train/")}))
        self.assertEqual([20, 30], found["images/samples/step"].tolist())
        with h5py.File(run / "run.h5", "r") as f:
            self.assertIn("steps = 30", f["config/toml"][()].decode())
        self.assertIn("nothing to do", self.perrin("resume", run).stderr)

    def test_any_other_change_of_the_experiment_is_named(self):
        run, _ = self.run_of(POINTS)
        file = run / "experiment.toml"
        text = file.read_text()
        for old, new, said in (("width = 16", "width = 8", "denoiser.width: 16 before, 8 now"),
                               ("steps = 20\n", "steps = 10\n", ".steps: 20 before, 10 now")):
            file.write_text(text.replace(old, new, 1))
            self.refused(run, "the checkpoint belongs to another experiment", said)


class Damaged(Scratch):
    """A results file as a power cut or a kill within a write leaves it, beside whole checkpoints."""
    TEXT = POINTS.replace("steps = 20", "steps = 40\nsample_every = 10").replace("checkpoint_every = 5", "checkpoint_every = 10")

    def setUp(self):
        super().setUp()
        self.whole, _ = self.run_of(self.TEXT)

    def resumed(self, harm, name):
        run = self.folder / name
        shutil.copytree(self.whole, run)
        checkpoints(run)[-1].unlink()
        with h5py.File(run / "run.h5", "r+") as f:
            f.attrs["status"] = np.bytes_("running")
        harm(run / "run.h5")
        done = self.perrin("resume", run)
        self.assertEqual("finished", status(run))
        found, expected = everything(run), everything(self.whole)
        for kind in ("weights/", "step-"):
            self.assertEqual([], differences({k: v for k, v in expected.items() if k.startswith(kind)},
                                             {k: v for k, v in found.items() if k.startswith(kind)}))
        steps = found["train/step"].tolist()
        self.assertEqual(list(range(31, 41)), steps[-10:])
        kept = steps[:-10]
        self.assertEqual(list(range(1, len(kept) + 1)), kept)
        np.testing.assert_array_equal(expected["train/loss"][:len(kept)], found["train/loss"][:len(kept)])
        return run, done.stderr, len(kept)

    def test_it_is_resumed_with_the_rows_that_can_be_read(self):
        size = (self.whole / "run.h5").stat().st_size
        with h5py.File(self.whole / "run.h5", "r") as f:
            at = f["metrics/train/step"].id.get_chunk_info(0).byte_offset

        def zeros(file):  # a page that never reached the disk: steps from 21 on
            data = bytearray(file.read_bytes())
            data[at + 20 * 8:at + 1024 * 8] = bytes(1004 * 8)
            file.write_bytes(data)

        harms = {"cut": lambda f: os.truncate(f, size // 2), "empty": lambda f: f.write_bytes(b""),
                 "nothing": lambda f: f.write_bytes(bytes(size)), "text": lambda f: f.write_bytes(b"not HDF5"), "zeros": zeros}
        for name, harm in harms.items():
            run, said, kept = self.resumed(harm, name)
            print(f"\n{name}: {kept} of 30 rows kept")
            self.assertIn("warning: ", said)
            self.assertIn("rows that could be read: ", said)
            self.assertIn("train up to step 20" if name == "zeros" else "train: no row", said)
            self.assertIn(f"it is kept as {run}/run.h5.damaged-1", said)
            self.assertTrue((run / "run.h5.damaged-1").exists())

    def test_a_missing_file_is_said(self):
        _, said, kept = self.resumed(lambda f: f.unlink(), "missing")
        self.assertIn("the results file is missing: its rows up to step 30 are lost", said)
        self.assertEqual(0, kept)


class Folders(Scratch):
    def test_equal_runs_of_one_second_have_folders_of_their_own(self):
        file = write(self.folder / "e.toml", POINTS)
        processes = [PERRIN.start("run", file, cwd=self.folder, **self.environment) for _ in range(4)]
        outputs = [p.communicate(timeout=120) for p in processes]
        self.assertEqual([0] * 4, [p.returncode for p in processes], outputs)
        runs = {out.splitlines()[-1] for out, _ in outputs}
        self.assertEqual(4, len(runs), runs)
        first, *others = (everything(pathlib.Path(run)) for run in sorted(runs))
        for other in others:
            self.assertEqual([], differences(first, other))
        self.assertEqual(4, len(list((self.folder / "results/points").iterdir())), "nothing else is left there")

    def test_two_that_want_one_folder_do_not_mix(self):
        file = write(self.folder / "e.toml", POINTS)
        processes = [PERRIN.start("run", file, "--out", self.folder / "one", **self.environment) for _ in range(3)]
        said = [p.communicate(timeout=120)[1] for p in processes]
        self.assertEqual([0, 1, 1], sorted(p.returncode for p in processes), said)
        self.assertEqual(2, sum("the run folder exists already" in s for s in said), said)
        self.assertEqual("finished", status(self.folder / "one"))

    def test_a_run_that_never_began_is_told_from_one_that_did(self):
        left = self.folder / "left"
        for part in ("checkpoints", "samples"):
            (left / part).mkdir(parents=True)
        (left / "origin.txt").write_text("/\n")
        self.assertIn("never began", self.perrin("resume", left, expect=1).stderr)
        said = self.perrin("run", write(self.folder / "e.toml", POINTS), "--out", left, expect=1).stderr
        self.assertIn("never began", said)
        self.assertIn("remove it, or choose another", said)


class ForeignFolder(Scratch):
    """A folder with a .git whose configuration names programs: none is run, and no text of changes is kept."""

    def test_nothing_of_its_configuration_is_executed(self):
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        trap, ran = self.folder / "trap", self.folder / "ran"
        trap.write_text(f"#!/bin/sh\necho \"$0 $*\" >>{ran}\ncat\n")
        trap.chmod(0o755)
        quiet = {"cwd": self.folder, "check": True, "capture_output": True, "text": True}
        subprocess.run(["git", "init", "-q"], **quiet)
        file = write(self.folder / "tracked.txt", "before\n")
        (self.folder / ".gitattributes").write_text("*.txt filter=trap diff=trap\n")
        subprocess.run(["git", "add", "tracked.txt", ".gitattributes"], **quiet)
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m"], **quiet)
        commit = subprocess.run(["git", "rev-parse", "HEAD"], **quiet).stdout.strip()
        tree = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], **quiet).stdout.strip()
        for key in ("core.fsmonitor", "diff.external", "diff.trap.textconv", "diff.trap.command", "filter.trap.clean",
                    "filter.trap.smudge", "filter.trap.process", "core.sshCommand", "gpg.program", "core.pager", "core.editor",
                    "alias.rev-parse", "alias.diff"):
            subprocess.run(["git", "config", key, ("!" if key.startswith("alias") else "") + str(trap)], **quiet)
        hooks = self.folder / "hooks"
        hooks.mkdir()
        for hook in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman", "reference-transaction"):
            shutil.copy(trap, hooks / hook)
        subprocess.run(["git", "config", "core.hooksPath", str(hooks)], **quiet)
        file.write_text("password = hunter2\n")
        # The trap works: git itself runs it.
        subprocess.run(["git", "diff", "HEAD"], cwd=self.folder, capture_output=True)
        self.assertTrue(ran.exists(), "the trap is no trap")
        ran.unlink()
        run, _ = self.run_of(POINTS)
        self.assertFalse(ran.exists(), ran.read_text() if ran.exists() else "")
        with h5py.File(run / "run.h5", "r") as f:
            facts = {k: v.decode() for k, v in f["provenance"].attrs.items()}
        self.assertEqual((commit, tree, "tracked.txt"), tuple(facts[k] for k in ("git_commit", "git_tree", "git_changed")))
        self.assertRegex(facts["git_changes_sha256"], "^[0-9a-f]{64}$")
        self.assertNotIn(b"hunter2", (run / "run.h5").read_bytes())


if __name__ == "__main__":
    unittest.main(verbosity=2)
