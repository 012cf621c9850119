"""What ends a program or changes the process: whole runs with a plugin that does it. Each failed, with the plugin's name; what
was written before is whole, and an honest plugin goes on from it.

Usage: run_test.py PERRIN LIAR
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import safetensors.numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "end_to_end/run"))
from program import POINTS, Program, checkpoints, describe, wait_until, write

PERRIN = Program(sys.argv.pop(1))
LIAR = pathlib.Path(sys.argv.pop(1)).resolve()
HERE = {"PERRIN_PLUGIN_PATH": str(LIAR.parent)}
# The denoiser's calls of forward: a few in the probe and for the shapes, then one a step, so that two checkpoints are there.
STEPS = 12


def status(run):
    """h5py does not open a file whose writer was killed."""
    return json.loads(PERRIN("show", run, "--json").stdout)["status"]


def text(fault="", function="forward", start=STEPS):
    told = f'use = "test.liar"\nfault = "{fault}"\nin = "{function}"\nfrom = {start}'
    return POINTS.replace('use = "mlp"\nwidth = 16', told)


class Boundary(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.run_folder = self.folder / "run"

    def failed(self, parts, fault, function="forward", start=STEPS, code=1, **more):
        file = write(self.folder / "e.toml", text(fault, function, start))
        done = PERRIN("run", file, "--out", self.run_folder, "--json", expect=None, **HERE, **more)
        self.assertEqual(code, done.returncode, describe(done))
        for part in parts:
            self.assertIn(part, done.stderr, describe(done))
        return done

    def whole(self):
        """Checkpoints verify, the run did not finish, and goes on with a plugin that behaves."""
        kept = checkpoints(self.run_folder)
        self.assertEqual(["step-00000005.safetensors", "step-00000010.safetensors"], [p.name for p in kept])
        for file in kept:
            safetensors.numpy.load_file(file)
        self.assertNotEqual("finished", status(self.run_folder))


class Ends(Boundary):
    """The process ends in a step: by whatever way, with the plugin's name and exit code 1."""

    def ends(self, fault, *parts):
        self.failed((LIAR.name, "test.liar", *parts), fault)
        self.whole()

    def test_by_a_signal(self):
        self.ends("segfault", "segmentation fault in forward")
        for fault, word in (("abort", "abort"), ("divide", "arithmetic fault"), ("illegal", "illegal instruction")):
            self.run_folder = self.folder / fault
            self.ends(fault, f"{word} in forward")

    def test_by_exit(self):
        self.ends("exit", "it called exit() in forward")

    def test_by_exit_that_runs_no_handler(self):
        for fault in ("_exit", "quick_exit", "exit_group"):
            self.run_folder = self.folder / fault
            self.ends(fault, "a plugin ended the program: its process left with exit code 0", "in forward of component test.liar")

    def test_by_a_thread_of_its_own(self):
        self.failed((str(LIAR), "ended the process: segmentation fault"), "thread crash")
        self.whole()

    def test_behind_the_end_of_the_run(self):
        done = self.failed((str(LIAR), "segmentation fault in code that runs outside of the host's calls"), "atexit crash", "create", 1)
        self.assertEqual("finished", status(self.run_folder), describe(done))

    def test_by_a_handler_of_its_own(self):
        self.failed(("set a handler of its own for SIGSEGV", "test.liar"), "own handler", "forward", 1)

    def test_by_the_system_when_memory_runs_out(self):
        file = write(self.folder / "e.toml", text("hang"))
        mark = self.folder / "hanging"
        process = PERRIN.start("run", file, "--out", self.run_folder, LIAR_MARK=str(mark), **HERE)
        wait_until(mark.exists, process, "the call that hangs")
        engine = children(process.pid)
        self.assertEqual(1, len(engine))
        os.kill(engine[0], signal.SIGKILL)
        _, error = process.communicate(timeout=60)
        self.assertEqual(137, process.returncode)
        self.assertIn("was ended by a signal (Killed)", error)
        self.assertIn(f"the latest call: plugin {LIAR.name}, in forward of component test.liar", error)

    def test_with_the_program_that_started_it(self):
        file = write(self.folder / "e.toml", text("hang"))
        process = PERRIN.start("run", file, "--out", self.run_folder, **HERE)
        wait_until(lambda: len(checkpoints(self.run_folder)) >= 2, process, "two checkpoints")
        engine = children(process.pid)[0]
        process.kill()
        process.communicate(timeout=60)
        end = time.monotonic() + 20
        while pathlib.Path(f"/proc/{engine}").exists():
            self.assertLess(time.monotonic(), end, "the engine outlives the program")
            time.sleep(0.01)
        self.whole()


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Changes(Boundary):
    """What a plugin changes of the process: named, and nothing lost."""

    def test_of_the_process(self):
        for fault, words in (("close 0", "closed or replaced standard input"), ("close 1", "closed or replaced standard output"),
                             ("close 2", "closed or replaced standard error"), ("umask", "changed the process's umask"),
                             ("folder", "changed the process's working folder"), ("locale", "changed the process's locale"),
                             ("block signals", "left signals blocked")):
            for function in ("create", "forward"):
                with self.subTest(fault=fault, function=function):
                    self.run_folder = self.folder / f"{fault}-{function}"
                    self.failed((words, "test.liar"), fault, function, 1, code=2 if function == "create" else 1)

    def test_nothing_is_lost_by_a_closed_standard_error(self):
        file = write(self.folder / "e.toml", text())
        for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
            run = self.folder / f"closed {len(closed)} {closed[0]}"
            done = subprocess.run(["bash", "-c", f'"$0" run "$1" --out "$2" {closed}', PERRIN.binary, file, run],
                                  capture_output=True, text=True, env=PERRIN.environment | HERE)
            self.assertEqual(0, done.returncode, describe(done))
            self.assertEqual("finished", status(run))

    def test_what_it_prints_is_not_in_the_json(self):
        file = write(self.folder / "e.toml", text("print", "forward", 3))
        done = PERRIN("run", file, "--out", self.run_folder, "--json", **HERE)
        self.assertEqual(0, json.loads(done.stdout)["exit"])
        self.assertIn("hello", done.stderr)

    def test_the_child_of_a_fork_writes_nothing(self):
        file = write(self.folder / "e.toml", text("fork"))
        done = PERRIN("run", file, "--out", self.run_folder, "--json", **HERE)
        self.assertIn("a process that a plugin forked came back into Perrin", done.stderr)
        self.assertEqual(1, len(done.stdout.splitlines()))
        self.assertEqual("finished", status(self.run_folder))


class Hangs(Boundary):
    def start(self, function, start, **more):
        file = write(self.folder / "e.toml", text("hang", function, start))
        return PERRIN.start("run", file, "--out", self.run_folder, **HERE, **more)

    def test_is_named_after_a_while(self):
        process = self.start("forward", STEPS, PERRIN_WATCHDOG_SECONDS="1")
        wait_until(lambda: len(checkpoints(self.run_folder)) >= 2, process, "two checkpoints")
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertIn(f"plugin {LIAR.name} has been in forward of component test.liar for 1 s", error)
        self.whole()

    def test_is_named_at_the_first_interrupt_also_in_create(self):
        process = self.start("create", 1)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode, error)
        self.assertIn(f"plugin {LIAR.name} has been in create of component test.liar", error)
        self.assertIn("A second Ctrl-C ends the program at once", error)


class Words(Boundary):
    def test_a_sampler_that_lies_is_named_by_every_command(self):
        honest = write(self.folder / "e.toml", POINTS)
        PERRIN("run", honest, "--out", self.run_folder)
        file = self.run_folder / "experiment.toml"
        for fault, words in (("nan", "NaN or infinite"), ("shape", "of shape"), ("dtype", "of dtype Long"), ("null", "(NULL)")):
            lying = POINTS.replace('[sampler]\nsteps = 4', f'[sampler]\nuse = "test.liar"\nfault = "{fault}"\nin = "sample"\nsteps = 4')
            done = PERRIN("run", write(self.folder / "l.toml", lying), "--out", self.folder / fault, expect=1, **HERE)
            self.assertIn(words, done.stderr)
            self.assertIn('"test.liar" (liar.so), in sample', done.stderr)
        self.assertTrue(file.exists())

    def test_a_loss_that_is_nan_says_where_it_began(self):
        lying = text("nan", "forward", STEPS)
        done = PERRIN("run", write(self.folder / "e.toml", lying), "--out", self.run_folder, expect=1, **HERE)
        self.assertIn('the loss term "l2" is NaN', done.stderr)
        self.assertIn('the first such value: the plugin gave a prediction of which ', done.stderr)

    def test_an_unusable_library_and_a_mistyped_folder_say_so(self):
        (self.folder / "bad.so").write_text("hello")
        lying = POINTS.replace('use = "linear"', 'use = "nobody.has"')
        done = PERRIN("check", write(self.folder / "e.toml", lying), expect=2, PERRIN_PLUGIN_PATH=f"{self.folder}:{self.folder}/nowhere")
        self.assertIn("bad.so: not an ELF shared library", done.stderr)
        self.assertIn(f"PERRIN_PLUGIN_PATH names {self.folder}/nowhere, which is no folder", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
