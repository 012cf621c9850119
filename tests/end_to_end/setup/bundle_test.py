"""bundle_test.py PROGRAM TORCH_ROOT: the CUDA libraries that LibTorch's CPU half needs come from beside it.

Run twice: as the machine is, and with decoys for the same sonames on LD_LIBRARY_PATH and the machine's own CUDA
folders hidden by empty mounts where the kernel lets us (a user namespace).
"""
import glob
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM, TORCH_ROOT = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
SONAMES = ("libcudart", "libcupti", "libtorch_cpu", "libc10")
HIDE = 'for folder in "$@"; do mount -t tmpfs none "$folder" || exit 99; done; exec "$PROGRAM"'


def loaded(command, **environment):
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, f"exit {done.returncode} of {command}: {done.stderr}"
    return [pathlib.Path(line).resolve() for line in done.stdout.splitlines()]


def can_hide():
    attempt = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(attempt, capture_output=True).returncode == 0


class Bundle(unittest.TestCase):
    def check(self, libraries):
        ours = [path for path in libraries if path.name.startswith(SONAMES)]
        print(*(f"  {path}" for path in ours), sep="\n")
        self.assertTrue(any(path.name.startswith("libtorch_cpu") for path in ours), "libtorch_cpu did not load")
        strangers = [path for path in ours if TORCH_ROOT.parent not in path.parents]
        self.assertEqual([], strangers, f"loaded from outside {TORCH_ROOT.parent}")

    def test_as_the_machine_is(self):
        self.check(loaded([PROGRAM]))

    def test_decoys_on_the_library_path_are_not_touched(self):
        with tempfile.TemporaryDirectory() as decoys:
            for soname in ("libcudart.so.12", "libcudart.so.13", "libcupti.so.12", "libcupti.so.13"):
                pathlib.Path(decoys, soname).write_text("not a library")
            self.check(loaded([PROGRAM], LD_LIBRARY_PATH=decoys))

    @unittest.skipUnless(can_hide(), "no user namespaces here: the machine's CUDA folders cannot be hidden")
    def test_with_the_machines_cuda_folders_hidden(self):
        folders = [f for f in glob.glob("/usr/local/cuda*") + ["/usr/local/lib"] if not os.path.islink(f)]
        print("  hidden:", *folders)
        self.check(loaded(["unshare", "-rm", "sh", "-c", HIDE, "sh", *folders], PROGRAM=PROGRAM))


unittest.main(argv=sys.argv[:1], verbosity=2)
