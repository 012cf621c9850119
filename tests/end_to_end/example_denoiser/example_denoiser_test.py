"""example_denoiser_test.py BUILD CHECKER: the example as a stranger builds it, by its README's own commands."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, CHECKER = map(pathlib.Path, sys.argv[1:])


def run(command, **environment):
    done = subprocess.run(command, shell=isinstance(command, str), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=os.environ | environment)
    assert done.returncode == 0, f"exit {done.returncode} of {command}:\n{done.stdout[-3000:]}"
    return done.stdout


def readme_commands(folder):
    blocks = (folder / "README.md").read_text().split("```")[1::2]
    return [line for block in blocks if block.startswith("sh\n") for line in block.splitlines()[1:]]


class ExampleDenoiser(unittest.TestCase):
    def test_it_builds_and_runs_out_of_the_tree(self):
        with tempfile.TemporaryDirectory() as top:
            prefix, copy = pathlib.Path(top, "prefix"), pathlib.Path(top, "copy")
            run(["cmake", "--install", BUILD, "--prefix", pathlib.Path(top, "first")])
            pathlib.Path(top, "first").rename(prefix)
            shutil.copytree(prefix / "share/doc/Perrin/examples/denoiser", copy)
            configure, build, show = readme_commands(copy)
            for command in configure, build:
                run(f"cd {copy} && {command}", PREFIX=str(prefix))
            library = copy / "build/example-denoiser.so"
            symbols = run(["nm", "-D", "--defined-only", library]).splitlines()
            self.assertEqual(["perrin_entry"], [line.split()[-1] for line in symbols])
            print(run([CHECKER, library]), end="")
            described = run(f"cd {copy} && {show}", PREFIX=str(prefix))
            for word in ("example.convnet", "width", "channels of every hidden layer", "blocks"):
                self.assertIn(word, described)


unittest.main(argv=sys.argv[:1])
