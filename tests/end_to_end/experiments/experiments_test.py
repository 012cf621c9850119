"""experiments_test.py PERRIN EXPERIMENTS: every experiment file states its cost, is found fine by `perrin check`, and runs for
two steps with samples at the end. CIFAR-10's files are made here, in its binary format."""
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

PERRIN, EXPERIMENTS = sys.argv[1], pathlib.Path(sys.argv[2])
SHORT = {"stage.steps": 2, "stage.batch_size": 2, "stage.warmup": 0, "stage.checkpoint_every": 0, "stage.sample_every": 0,
         "sampler.steps": 2, "samples.count": 2, "samples.columns": 2}
# math.md: the network of 2006.11239.
PARAMETERS = {"cifar10-ddpm": 35_746_307, "cifar10-flow": 35_746_307}


def cifar10(folder):
    """A folder of five batches of four records."""
    noise = random.Random(0)
    for b in range(1, 6):
        records = [bytes([noise.randrange(10)]) + noise.randbytes(3072) for _ in range(4)]
        (folder / f"data_batch_{b}.bin").write_bytes(b"".join(records))
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

    def settings(self, name, short):
        values = dict(SHORT) if short else {}
        if name.startswith("cifar10"):
            values["dataset.folder"] = f'"{cifar10(self.folder)}"'
        return [part for key, value in values.items() for part in ("--set", f"{key}={value}")]

    def test_each_file_states_cost_and_seed(self):
        for file in EXPERIMENTS.glob("*.toml"):
            head = file.read_text().split("[experiment]")[0]
            self.assertRegex(head, r"# .*\bCost: ", file.name)
            self.assertRegex(file.read_text(), r"(?m)^seed = \d+", file.name)

    def test_each_file_passes_the_check_and_runs(self):
        for file in sorted(EXPERIMENTS.glob("*.toml")):
            with self.subTest(file.name):
                checked = self.perrin("check", file, *self.settings(file.stem, False))
                total = int(re.search(r"denoiser +(\d+)", checked.split("\nparameters\n")[1])[1])
                print(f"  {file.stem}: denoiser of {total:,} parameters", flush=True)
                self.assertEqual(total, PARAMETERS.get(file.stem, total))
                run = self.perrin("run", file, "--out", self.folder / file.stem, *self.settings(file.stem, True)).split()[-1]
                self.assertTrue(list(pathlib.Path(run).glob("samples/*.png")), "no picture")


unittest.main(argv=sys.argv[:1], verbosity=2)
