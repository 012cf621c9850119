"""What `perrin eval` finds stays in the run's file: each evaluation with its moment, its command and what it depends on.

Usage: evaluation_test.py PERRIN
"""
import json
import pathlib
import signal
import tempfile
import unittest

import h5py

import kill_test
from program import POINTS, differences, everything, wait_until, write

PERRIN = kill_test.PERRIN


class Evaluation(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.file = write(self.folder / "points.toml", POINTS)
        self.run_folder = self.folder / "run"

    def evaluate(self, *more):
        return json.loads(PERRIN("eval", self.run_folder, "--count", "64", "--json", *more).stdout)

    def test_is_kept_with_its_command_and_shown(self):
        PERRIN("run", self.file, "--out", self.run_folder)
        before = everything(self.run_folder)
        first = self.evaluate()
        second = self.evaluate("--set", "dataset.seed=7")
        self.assertTrue(first["kept"] and second["kept"])
        self.assertIn("--count needs at least one sample", PERRIN("eval", self.run_folder, "--count", "0", expect=2).stderr)
        self.assertNotEqual(first["curves"], second["curves"], "other data")
        self.assertEqual([], differences(before, everything(self.run_folder)), "what the run wrote is as it was")
        with h5py.File(self.run_folder / "run.h5") as f:
            self.assertEqual(["1", "2"], list(f["evaluations"]))
            for said, kept in zip((first, second), f["evaluations"].values()):
                curve = kept["curves/denoising_error"]
                self.assertEqual(said["curves"]["denoising_error"]["values"], curve["value"][:].tolist())
                self.assertEqual(said["curves"]["denoising_error"]["at"], curve["log_snr"][:].tolist())
                self.assertEqual(20, kept["step"][0])
                self.assertEqual("step-00000020.safetensors", kept.attrs["checkpoint"].decode())
                self.assertRegex(kept.attrs["time"].decode(), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
                self.assertIn("perrin eval", kept.attrs["command"].decode())
            self.assertIn("dataset.seed=7", f["evaluations/2"].attrs["command"].decode())
            self.assertIn("seed = 7", f["evaluations/2"].attrs["experiment"].decode())
            self.assertEqual("finished", f.attrs["status"].decode())
        shown = PERRIN("show", self.run_folder).stdout
        self.assertEqual(2, shown.count("\nevaluated "), shown)
        self.assertIn("denoising_error", shown)
        listed = json.loads(PERRIN("show", self.run_folder, "--json").stdout)["evaluations"]
        self.assertEqual([first["curves"]["denoising_error"]["values"], second["curves"]["denoising_error"]["values"]],
                         [e["curves"]["denoising_error"]["values"] for e in listed])

    def test_stays_when_the_run_goes_on(self):
        PERRIN("run", self.file, "--out", self.run_folder)
        self.evaluate()
        experiment = self.run_folder / "experiment.toml"
        experiment.write_text(experiment.read_text().replace("steps = 20", "steps = 30"))
        PERRIN("resume", self.run_folder)
        again = json.loads(PERRIN("resume", self.run_folder, "--json").stdout)
        self.assertEqual((str(self.run_folder), 0), (again["run"], again["exit"]), "finished: nothing to do")
        self.evaluate()
        with h5py.File(self.run_folder / "run.h5") as f:
            self.assertEqual([20, 30], [e["step"][0] for e in f["evaluations"].values()])
            self.assertEqual(2, len(f["metrics/summary/seconds"]), "one row for each process")
            self.assertEqual(30, f["metrics/train/step"][-1])

    def test_of_a_run_that_is_being_written_is_said_and_not_kept(self):
        long = write(self.folder / "long.toml", POINTS.replace("steps = 20", "steps = 1000000"))
        process = PERRIN.start("run", long, "--out", self.run_folder)
        wait_until(lambda: list((self.run_folder / "checkpoints").glob("*.safetensors")), process, "a checkpoint")
        done = PERRIN("eval", self.run_folder, "--count", "64", "--json")
        self.assertIn("warning: what is found will be printed and not kept: the run is still being written", done.stderr)
        self.assertFalse(json.loads(done.stdout)["kept"])
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        self.assertEqual(130, process.returncode, errors)
        self.assertTrue(self.evaluate()["kept"])
        with h5py.File(self.run_folder / "run.h5") as f:
            self.assertEqual(["1"], list(f["evaluations"]))
            self.assertEqual("interrupted", f.attrs["status"].decode())


if __name__ == "__main__":
    unittest.main(verbosity=2)
