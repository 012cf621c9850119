"""Runs that are killed or interrupted end bit-identical to the one that never was.

Usage: kill_test.py PERRIN
"""
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from program import IMAGES, TWO_STAGES, Program, checkpoints, differences, everything, status, wait_until, write

import h5py
import safetensors.numpy

PERRIN = Program(sys.argv.pop(1))
KILLS, SEED = 3, 20240607
# A U-Net with attention in bf16, its batches prepared by three threads and its sums made by two.
THREADED = IMAGES.replace('name = "images"', 'name = "threaded"\nloader_threads = 3').replace("channels = [8]", (
    "channels = [8, 16]")).replace("steps = 6", 'steps = 30\nprecision = "bf16"\naccumulate = 2\ncheckpoint_every = 3\nsample_every = 9')

# A run in which more goes on from step to step: a law of timesteps that follows the loss, a weighting that learns, two
# averages with snapshots, other optimizers and learning rates.
LEARNING = TWO_STAGES.replace("[[stage]]", """[timesteps]
use = "importance"
buckets = 4
history = 3
[weighting]
use = "learnt-uncertainty"
[[stage]]""", 1).replace("ema_decay = 0.95", 'ema = "power"\nema_snapshot_every = 9\nlr_schedule = "one-cycle"').replace(
    'use = "adamw", lr = 1e-3', 'use = "adafactor"').replace('use = "adamw", lr = 5e-4', 'use = "muon", lr = 5e-3')


def furthest(run):
    names = [p.stem for p in checkpoints(run)]
    return int(names[-1].split("-")[1]) if names else 0


def killed(dice, run, last, *arguments, **environment):
    """Starts the program and kills it a moment after a checkpoint at or beyond a random step. False if it had ended."""
    target = dice.choice((0, 1, 2, 3, 4)) and dice.randint(furthest(run), last)  # one in five: before or at the start
    process = PERRIN.start(*arguments, **environment)
    while furthest(run) < target and process.poll() is None:
        time.sleep(0.001)
    try:
        process.wait(dice.choice((0, 0.02, 0.2)) * dice.random())
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


class WithRun(unittest.TestCase):
    """`whole`: the run that nothing disturbed, `expected`: its numbers."""

    TEXT, LAST, ENVIRONMENT = TWO_STAGES, 120, {}

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.file = write(cls.folder / "two.toml", cls.TEXT)
        cls.whole = cls.folder / "whole"
        PERRIN("run", cls.file, "--out", cls.whole, **cls.ENVIRONMENT)
        cls.expected = everything(cls.whole)
        assert {k.split("/")[0] for k in cls.expected} >= {"train", "images", "weights"}, cls.expected.keys()
        assert any(k.startswith("weights/ema.conditioner.") for k in cls.expected), cls.expected.keys()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()


class Tortured(WithRun):
    def tortured(self, number):
        """One run, killed up to KILLS times at random moments, then resumed to its end: its row of the table."""
        dice = random.Random(SEED + number)
        run = self.folder / f"run-{number}"
        reached = []
        for _ in range(KILLS):
            begun = (run / "experiment.toml").exists()
            if run.exists() and not begun:
                shutil.rmtree(run)
            alive = killed(dice, run, self.LAST, *(("resume", run) if begun else ("run", self.file, "--out", run)),
                           **self.ENVIRONMENT)
            reached.append(f"{furthest(run)}" if alive else f"{furthest(run)} (ended)")
        if not (run / "experiment.toml").exists():
            shutil.rmtree(run, ignore_errors=True)
            PERRIN("run", self.file, "--out", run, **self.ENVIRONMENT)
        else:
            PERRIN("resume", run, **self.ENVIRONMENT)
        with h5py.File(run / "run.h5", "r") as f:
            segments = f["segments/step"][:].tolist()
        return number, reached, segments, status(run), differences(self.expected, everything(run))

    def end_bit_identical(self, runs, at_once):
        """Prints the table; returns the steps from which runs were resumed."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            rows = list(pool.map(self.tortured, range(runs)))
        print(f"\n{len(self.expected)} arrays compared, {sum(v.size for v in self.expected.values())} values\n"
              "run  last checkpoint at each kill    started or resumed from step     differing arrays")
        for number, reached, segments, _, different in rows:
            print(f"{number:3}  {', '.join(reached):30}  {str(segments):32} {len(different)}")
        kills = sum("ended" not in r for _, reached, *_ in rows for r in reached)
        print(f"{kills} kills, {sum(len(s) > 1 for _, _, s, *_ in rows)} runs resumed from a results file")
        for number, _, _, state, different in rows:
            self.assertEqual([], different, f"run {number}:\n" + (self.folder / f"run-{number}/run.log").read_text()[-4000:])
            self.assertEqual("finished", state, f"run {number}")
        # The table must show what it claims: many kills, and resumes from the middle of both stages.
        self.assertGreater(kills, runs)
        return {step for _, _, segments, *_ in rows for step in segments}


class Killed(Tortured):
    def test_thirty_runs_killed_at_random_moments_end_bit_identical(self):
        resumed = self.end_bit_identical(30, 2)
        self.assertTrue(any(0 < step < 60 for step in resumed), resumed)
        self.assertTrue(any(60 < step < 120 for step in resumed), resumed)


class KilledAtTheEnd(WithRun):
    """Kills before each of the last writes of the results file: whatever it says then, a resume ends it."""

    LAST_WRITES = 24

    def test_no_moment_of_the_results_file_loses_the_end(self):
        shim = {"LD_PRELOAD": os.environ["KILL_AT_WRITE_LIBRARY"]}
        counted = PERRIN("run", self.file, "--out", self.folder / "counted", **shim).stderr
        total = max(map(int, re.findall(r"(\d+) writes", counted)))
        said = {}
        for at in range(total - self.LAST_WRITES, total + 1):
            run = self.folder / f"at-{at}"
            process = PERRIN.start("run", self.file, "--out", run, KILL_AT_WRITE=str(at), **shim)
            process.communicate()
            self.assertEqual(128 + signal.SIGKILL, process.returncode, f"write {at} of {total}")  # of perrin-engine, told by perrin
            said[at] = json.loads(PERRIN("show", run, "--json").stdout)["status"]
            PERRIN("resume", run)
            with h5py.File(run / "run.h5", "r") as f:  # refuses a file that was not closed
                self.assertEqual(self.LAST, f["metrics/train/step"][-1], f"write {at} of {total}")
            self.assertEqual([], differences(self.expected, everything(run)), f"write {at} of {total}, {said[at]}")
        print(f"\nkilled before each of writes {total - self.LAST_WRITES} to {total}; the file said", ", ".join(
            f"{state} {list(said.values()).count(state)} times" for state in sorted(set(said.values()))))
        self.assertEqual({"running", "finished"}, set(said.values()))


class KilledThreaded(Tortured):
    TEXT, LAST, ENVIRONMENT = THREADED, 30, {"OMP_NUM_THREADS": "2"}

    def test_unets_in_bf16_with_several_threads_end_bit_identical(self):
        with h5py.File(self.whole / "run.h5", "r") as f:
            self.assertEqual(b"2", f["provenance"].attrs["threads"])
        resumed = self.end_bit_identical(4, 1)
        self.assertTrue(any(0 < step < 30 for step in resumed), resumed)


def snapshots(run):
    return {f"{p.name}/{k}": v for p in sorted((run / "ema").iterdir()) for k, v in safetensors.numpy.load_file(p).items()}


class KilledWhileLearning(Tortured):
    TEXT = LEARNING

    def test_runs_end_bit_identical_with_all_that_they_have_learnt(self):
        learnt = {k for k in self.expected if k.startswith(("weights/state.timesteps", "weights/weighting.", "weights/ema2."))}
        print(f"\n{len(self.expected)} arrays compared, of them {len(learnt)} of what only this run learns")
        self.assertEqual({"weights/state.timesteps", "weights/weighting", "weights/ema2"},
                         {".".join(k.split(".")[:1 if "weighting" in k or "ema2" in k else 2]) for k in learnt})
        held = snapshots(self.whole)
        self.assertEqual({69, 78, 87, 96, 105, 114, 120}, {int(k.split("/")[0][5:13]) for k in held})
        for number in range(100, 104):
            _, reached, segments, state, different = self.tortured(number)
            print(f"{number}  {', '.join(reached):30}  {str(segments):32} {len(different)}")
            self.assertEqual(([], "finished"), (different, state))
            self.assertEqual([], differences(held, snapshots(self.folder / f"run-{number}")))


class Signalled(WithRun):
    def begin(self, name, text=TWO_STAGES.replace("steps = 60", "steps = 100000", 1)):
        """A run in its first stage that would take minutes, with a checkpoint already."""
        run = self.folder / name
        process = PERRIN.start("run", write(self.folder / f"{name}.toml", text), "--out", run)
        wait_until(lambda: checkpoints(run), process, "first checkpoint")
        return run, process

    def stopped(self, signal_number, code):
        run = self.folder / f"signal-{signal_number}"
        # A first stage with room for a signal, so long that it cannot have ended.
        text = TWO_STAGES.replace("steps = 60", "steps = 400", 1).replace("checkpoint_every = 7", "checkpoint_every = 50")
        file = write(self.folder / f"{run.name}.toml", text)
        PERRIN("run", file, "--out", self.folder / f"{run.name}-whole")
        process = PERRIN.start("run", file, "--out", run)
        wait_until(lambda: checkpoints(run), process, "first checkpoint")
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=60)
        self.assertEqual(code, process.returncode, err)
        self.assertEqual("interrupted", status(run))
        self.assertEqual(str(run), out.splitlines()[-1])
        self.assertIn(f"perrin resume {run}", out)
        self.assertIn("stopping after this step; again to stop at once", err)
        with h5py.File(run / "run.h5", "r") as f:
            last = int(f["metrics/train/step"][-1])
        print(f"\nsignal {signal_number}: exit {code}, checkpoint at step {furthest(run)}, last row at {last}")
        self.assertLessEqual(last, furthest(run))
        PERRIN("resume", run)
        self.assertEqual([], differences(everything(self.folder / f"{run.name}-whole"), everything(run)))
        again = PERRIN("resume", run)
        self.assertIn("the run is finished; nothing to do", again.stderr)
        self.assertEqual(str(run), again.stdout.splitlines()[-1])

    def test_sigint_writes_a_checkpoint_and_exits_130(self):
        self.stopped(signal.SIGINT, 130)

    def test_sigterm_writes_a_checkpoint_and_exits_143(self):
        self.stopped(signal.SIGTERM, 143)

    def test_a_second_sigint_ends_at_once(self):
        # Steps of seconds each: only the second signal can end it quickly.
        text = TWO_STAGES.replace("accumulate = 2", "accumulate = 200000", 1)
        process = PERRIN.start("run", write(self.folder / "slow.toml", text), "--out", self.folder / "slow")
        wait_until(lambda: (self.folder / "slow/run.h5").exists(), process, "results file")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        self.assertIsNone(process.poll(), "one signal waits for the step's end")
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        print(f"\nended {time.monotonic() - begin:.3f} s after the second signal")
        self.assertEqual(130, process.returncode)

    def test_a_run_that_goes_on_elsewhere_is_not_resumed(self):
        run, process = self.begin("busy")
        self.addCleanup(process.kill)
        done = PERRIN("resume", run, expect=1)
        self.assertIn("error: the run is still being written by another process", done.stderr)
        self.assertIn("fix: wait for it, or stop it first", done.stderr)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)


if __name__ == "__main__":
    unittest.main(verbosity=2)
