"""cuda_test.py PERRIN: what a CUDA device computes against the CPU: same noise, same steps, rounding apart."""
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "end_to_end/run"))
from program import IMAGES, TWO_STAGES, Program, checkpoints, differences, everything, traces, wait_until, weights, write

PERRIN = Program(sys.argv.pop(1))


class Cuda(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def run_on(self, device, text, *options):
        run = self.folder / f"{device}{len(list(self.folder.iterdir()))}"
        PERRIN("run", write(self.folder / "e.toml", text), "--out", run, "--device", device, *options)
        return run

    def test_training_follows_the_cpu(self):
        for name, text in ("mlp, two stages", TWO_STAGES), ("unet", IMAGES):
            cpu, cuda = self.run_on("cpu", text), self.run_on("cuda", text)
            a, b = traces(cpu), traces(cuda)
            self.assertEqual(a.keys(), b.keys())
            for key in a:
                if key.startswith("train/"):
                    np.testing.assert_allclose(b[key], a[key], rtol=2e-3, atol=1e-5, err_msg=f"{name}: {key}")
            wa, wb = weights(cpu), weights(cuda)
            worst = max(float(np.abs(wa[k] - wb[k]).max()) for k in wa if not k.startswith("adamw."))
            print(f"{name}: weights {worst:.1e} apart after training")
            self.assertLess(worst, 1e-2)

    def test_the_run_names_its_device(self):
        with h5py.File(self.run_on("cuda", IMAGES) / "run.h5") as f:
            self.assertIn("cuda:0", str(dict(f["provenance"].attrs)))

    def test_auto_takes_the_device(self):
        with h5py.File(self.run_on("auto", IMAGES) / "run.h5") as f:
            self.assertIn("cuda:0", str(dict(f["provenance"].attrs)))

    def test_a_killed_and_resumed_run_ends_as_the_whole_one(self):
        whole, half = self.run_on("cuda", TWO_STAGES), self.folder / "half"
        process = PERRIN.start("run", self.folder / "e.toml", "--out", half, "--device", "cuda")
        wait_until(lambda: len(checkpoints(half)) > 1, process, "a second checkpoint")
        process.kill()
        process.communicate()
        PERRIN("resume", half, "--device", "cuda")
        self.assertEqual(differences(everything(whole), everything(half)), [])

    def test_a_checkpoint_goes_from_one_device_to_the_other(self):
        run = self.run_on("cuda", IMAGES)
        for device in "cpu", "cuda":
            PERRIN("sample", run, "--device", device, "--count", "4", "--out", self.folder / f"s-{device}")
        import safetensors.numpy
        a, b = (safetensors.numpy.load_file(self.folder / f"s-{d}.safetensors")["samples"] for d in ("cpu", "cuda"))
        print(f"samples of one checkpoint: {np.abs(a - b).max():.1e} apart")
        np.testing.assert_allclose(b, a, atol=1e-2)

    def test_bf16(self):
        run = self.run_on("cuda", IMAGES, "--set", "stage.precision=\"bf16\"")
        self.assertTrue(all(np.isfinite(v).all() for k, v in traces(run).items() if k.endswith("loss")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
