"""Runs that are killed or interrupted end bit-identical to the one that never was.

Usage: kill_test.py PERRIN
"""
import concurrent.futures
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from program import TWO_STAGES, Program, checkpoints, differences, everything, status, wait_until, write

import h5py

PERRIN = Program(sys.argv.pop(1))
RUNS, KILLS, SEED, LAST = 30, 3, 20240607, 120


def furthest(run):
    names = [p.stem for p in checkpoints(run)]
    return int(names[-1].split("-")[1]) if names else 0


def killed(dice, run, *arguments):
    """Starts the program and kills it a moment after a checkpoint at or beyond a random step. False if it had ended."""
    target = dice.choice((0, 1, 2, 3, 4)) and dice.randint(furthest(run), LAST)  # one in five: before or at the start
    process = PERRIN.start(*arguments)
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

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.file = write(cls.folder / "two.toml", TWO_STAGES)
        cls.whole = cls.folder / "whole"
        PERRIN("run", cls.file, "--out", cls.whole)
        cls.expected = everything(cls.whole)
        assert {k.split("/")[0] for k in cls.expected} >= {"train", "images", "weights"}, cls.expected.keys()
        assert any(k.startswith("weights/ema.conditioner.") for k in cls.expected), cls.expected.keys()

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()


class Killed(WithRun):
    def tortured(self, number):
        """One run, killed up to KILLS times at random moments, then resumed to its end: its row of the table."""
        dice = random.Random(SEED + number)
        run = self.folder / f"run-{number}"
        reached = []
        for _ in range(KILLS):
            begun = (run / "experiment.toml").exists()
            if run.exists() and not begun:
                shutil.rmtree(run)
            alive = killed(dice, run, *(("resume", run) if begun else ("run", self.file, "--out", run)))
            reached.append(f"{furthest(run)}" if alive else f"{furthest(run)} (ended)")
        if not (run / "experiment.toml").exists():
            shutil.rmtree(run, ignore_errors=True)
            PERRIN("run", self.file, "--out", run)
        else:
            PERRIN("resume", run)
        with h5py.File(run / "run.h5", "r") as f:
            segments = f["segments/step"][:].tolist()
        return number, reached, segments, status(run), differences(self.expected, everything(run))

    def test_thirty_runs_killed_at_random_moments_end_bit_identical(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            rows = list(pool.map(self.tortured, range(RUNS)))
        print(f"\n{len(self.expected)} arrays compared, {sum(v.size for v in self.expected.values())} values\n"
              "run  last checkpoint at each kill    started or resumed from step     differing arrays")
        for number, reached, segments, _, different in rows:
            print(f"{number:3}  {', '.join(reached):30}  {str(segments):32} {len(different)}")
        kills = sum("ended" not in r for _, reached, *_ in rows for r in reached)
        print(f"{kills} kills, {sum(len(s) > 1 for _, _, s, *_ in rows)} runs resumed from a results file")
        for number, _, _, state, different in rows:
            self.assertEqual([], different, f"run {number}")
            self.assertEqual("finished", state, f"run {number}")
        # The table must show what it claims: many kills, and resumes from the middle of both stages.
        self.assertGreater(kills, RUNS)
        resumed = {step for _, _, segments, *_ in rows for step in segments}
        self.assertTrue(any(0 < step < 60 for step in resumed), resumed)
        self.assertTrue(any(60 < step < 120 for step in resumed), resumed)


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


unittest.main(verbosity=2)
