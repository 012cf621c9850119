"""The table of commands and what is made of it: help, --json, completions, the manual page.

Usage: table_test.py PERRIN
"""
import json
import math
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

from program import POINTS, Program, describe, write

PERRIN = Program(sys.argv.pop(1))
TABLE = {c["name"]: c for c in json.loads(PERRIN("help", "--json").stdout)["commands"]}
FIRST = list(dict.fromkeys(name.split()[0] for name in TABLE))
GROUPS = {first: [name.split()[1] for name in TABLE if name.startswith(first + " ")] for first in FIRST if first not in TABLE}
# --json of these needs a run of their own kind.
ELSEWHERE = {"eval": "latent_test.py"}


def options(name):
    return ["--" + o["name"] for o in TABLE[name]["options"]]


class InFolder(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()


class Help(InFolder):
    def test_help_and_dash_dash_help_of_each_command_say_the_same(self):
        self.assertEqual(FIRST, re.findall(r"(?m)^  (\w+) {2,}\S", PERRIN("help").stdout))
        self.assertEqual(PERRIN("help").stdout, PERRIN("--help").stdout)
        for name, command in TABLE.items():
            said = PERRIN("help", *name.split()).stdout
            with self.subTest(command=name):
                self.assertEqual(said, PERRIN(*name.split(), "--help").stdout)
                self.assertTrue(said.startswith(f"perrin {command['usage']}\n\n{command['description']}\n\n"), said)
                self.assertIn(f"perrin {name}", command["example"])
                for option in options(name):
                    self.assertRegex(said, rf"(?m)^  .*{option}\b")
        for group, actions in GROUPS.items():
            said = PERRIN("help", group).stdout
            self.assertEqual(said, PERRIN(group, "--help").stdout)
            self.assertEqual(actions, re.findall(r"(?m)^  (\w+) {2,}\S", said))

    def test_what_is_no_command_is_exit_2_with_the_nearest(self):
        for words, part in {("help", "rnu"): 'there is no command "rnu"; did you mean run?',
                            ("help", "cache", "lst"): 'there is no command "cache lst"; did you mean list?',
                            ("weights", "exprot", "a", "b"): 'there is no command "weights exprot"; did you mean export?',
                            ("cache list",): 'there is no command "cache list"',
                            ("help", "run", "list"): '"run" has no commands of its own',
                            ("completion", "fishh"): 'did you mean "fish"?'}.items():
            done = PERRIN(*words, expect=2)
            self.assertIn(part, done.stderr)
            self.assertEqual("", done.stdout)

    def test_help_and_mistakes_need_no_engine(self):
        lonely = shutil.copy(PERRIN.binary, self.folder / "perrin")
        alone = Program(lonely)
        self.assertIn("cannot start perrin-engine", alone("run", "x.toml", expect=1).stderr)
        self.assertIn("perrin run FILE", alone("run", "--help").stdout)
        self.assertIn("did you mean --seed", alone("run", "x.toml", "--sede", "1", expect=2).stderr)
        self.assertIn("missing FILE", alone("weights", "export", "run", expect=2).stderr)


class Json(InFolder):
    def test_every_command_prints_one_object(self):
        experiment, run, file = write(self.folder / "points.toml", POINTS), self.folder / "run", self.folder / "w.safetensors"
        self.assertEqual([], [name for name in TABLE if "--json" not in options(name)])
        longer = run / "experiment.toml"
        arguments = {
            "run": [experiment, "--out", run], "check": [experiment], "sample": [run, "--count", "2"],
            "compare": [run, "--samplers", "ddim", "--steps", "2", "--count", "2"],
            "weights export": [run, file, "--component", "denoiser"], "weights inspect": [file], "show": [run],
            "resume": [run], "plugin list": [], "plugin show": ["cosine"], "cache list": [], "cache prune": [],
            "help": [], "completion": ["bash"]}
        self.assertEqual(set(TABLE), set(arguments) | set(ELSEWHERE))
        said = {}
        environment = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        for name, more in arguments.items():
            if name == "resume":
                write(longer, longer.read_text().replace("steps = 20\n", "steps = 25\n"))
            done = PERRIN(*name.split(), *more, "--json", **environment)
            with self.subTest(command=name):
                said[name] = json.loads(done.stdout)
                self.assertIsInstance(said[name], dict, describe(done))
        self.assertEqual(str(run), said["resume"]["run"])
        self.assertEqual([("ddim", 2)], [(r["sampler"], r["steps"]) for r in said["compare"]["results"]])
        self.assertTrue(pathlib.Path(said["compare"]["picture"]).exists())
        self.assertEqual((str(file), "mlp", file.stat().st_size),
                         tuple(said["weights export"][k] for k in ("file", "use", "bytes")))
        tensors = said["weights inspect"]["tensors"].values()
        self.assertEqual(said["weights export"]["parameters"],
                         sum(math.prod(t["shape"]) for t in tensors))
        self.assertEqual(["cosine"], [c["id"] for c in said["plugin show"]["components"]])
        self.assertEqual(str(self.folder / "cache/perrin"), said["cache list"]["folder"])
        self.assertEqual(PERRIN("completion", "bash").stdout, said["completion"]["script"])

    def test_an_error_is_text_on_stderr_with_the_same_code(self):
        for words in (["check", self.folder / "absent.toml"], ["show", self.folder], ["plugin", "show", "cosin"]):
            plain, asked = PERRIN(*words, expect=None), PERRIN(*words, "--json", expect=None)
            self.assertNotEqual(0, plain.returncode)
            self.assertEqual((plain.returncode, plain.stderr, ""), (asked.returncode, asked.stderr, asked.stdout))


class Bash(InFolder):
    def setUp(self):
        super().setUp()
        self.script = write(self.folder / "script", PERRIN("completion", "bash").stdout)

    def complete(self, *words):
        """What bash offers for the last word; `--option=value` comes as three words, as bash parts them."""
        line = [str(PERRIN.binary), *words]
        asked = (f"source {self.script}\nCOMP_WORDS=({' '.join(map(shlex.quote, line))})\nCOMP_CWORD={len(line) - 1}\n"
                 "_perrin\nprintf '%s\\n' \"${COMPREPLY[@]}\"\ncomplete -p perrin >&2\n")
        done = subprocess.run(["bash", "--norc", "-c", asked], cwd=self.folder, env=PERRIN.environment, text=True,
                              capture_output=True, check=True)
        self.assertEqual("complete -F _perrin perrin\n", done.stderr)
        return done.stdout.split("\n")[:-1] if done.stdout != "\n" else []

    def test_each_command_and_option_of_the_table(self):
        self.assertEqual([*FIRST, "--help", "--version"], self.complete(""))
        for group, actions in GROUPS.items():
            self.assertEqual([*actions, "--help"], self.complete(group, ""))
        for name in TABLE:
            self.assertEqual(options(name), self.complete(*name.split(), "--"), name)

    def test_words_values_files_and_components(self):
        for name in ("one.toml", "two words.toml"):
            write(self.folder / name, "")
        (self.folder / "runs").mkdir()
        every = ["one.toml", "runs", "script", "two words.toml"]
        for words, expected in {
                ("ru",): ["run"], ("re",): ["resume"], ("run", "--se"): ["--set", "--seed"],
                ("run", "--device", ""): ["cpu", "cuda", "auto"], ("run", "--device", "=", "cu"): ["cuda"],
                ("run", "--device", "="): ["cpu", "cuda", "auto"], ("run", "--set", ""): [], ("run", "--out", ""): ["runs"],
                ("run", ""): every, ("run", "tw"): ["two words.toml"], ("show", "--json", "ru"): ["runs"],
                ("weights", "export", "runs", "o"): ["one.toml"], ("sample", "runs", "--prompts", "o"): ["one.toml"],
                ("plugin", "list", "--kind", "sa"): ["sampler"], ("plugin", "show", "cosine"): ["cosine", "cosine-interpolated"],
                ("sample", "runs", "--sampler", "heu"): ["heun"], ("sample", "--sampler", "cosin"): [], ("help", "wei"): ["weights"],
                ("completion", ""): ["bash", "zsh", "fish"], ("nothing", ""): []}.items():
            with self.subTest(words=words):
                self.assertEqual(expected, sorted(self.complete(*words)) if expected == every else self.complete(*words))


class OtherShells(InFolder):
    def script(self, shell):
        return write(self.folder / f"perrin.{shell}", PERRIN("completion", shell).stdout)

    def needed(self, program):
        if not shutil.which(program):
            self.skipTest(f"{program} is not here: only the text of its script is looked at")

    def test_the_text_has_each_command_and_option(self):
        zsh, fish = self.script("zsh").read_text(), self.script("fish").read_text()
        for first in FIRST:
            self.assertIn(f"\n      '{first}:", zsh)
            self.assertIn(f" -n '__perrin_at' -a {first} -d ", fish)
        for group, actions in GROUPS.items():
            for action in actions:
                self.assertIn(f"\n        '{action}:", zsh)
                self.assertIn(f" -n '__perrin_at {group}' -a {action} -d ", fish)
        for name in TABLE:
            block = zsh.split(f"\n    '{name}')\n")[1].split(";;")[0]
            for o in TABLE[name]["options"]:
                self.assertIn(f"'{'*' if o['repeatable'] else ''}--{o['name']}{'=' if o['value'] else ''}[", block)
                self.assertIn(f" -n '__perrin_after {name}' -l {o['name']} ", fish)

    def test_zsh_reads_its_script(self):
        self.needed("zsh")
        subprocess.run(["zsh", "-n", self.script("zsh")], check=True)

    def test_fish_completes(self):
        self.needed("fish")
        script = self.script("fish")
        subprocess.run(["fish", "-n", script], check=True)
        for line, expected in {"perrin ru": ["run"], "perrin run --se": ["--set", "--seed"], "perrin weights ": ["export", "inspect"],
                               "perrin run --device ": ["auto", "cpu", "cuda"], "perrin plugin list --kind sa": ["sampler"]}.items():
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"], check=True, text=True,
                                  capture_output=True, cwd=self.folder, env=PERRIN.environment | {"HOME": str(self.folder)})
            self.assertEqual(sorted(expected), sorted(l.split("\t")[0] for l in done.stdout.splitlines()), line)


class Manual(InFolder):
    def setUp(self):
        super().setUp()
        self.page = write(self.folder / "perrin.1", PERRIN("help", "--man").stdout)

    def test_it_has_each_command_and_option(self):
        text = self.page.read_text().replace("\\-", "-")
        for name, command in TABLE.items():
            block = text.split(f"\n.SS perrin {command['usage']}\n")[1].split("\n.S")[0]
            self.assertIn(command["example"], block)
            for option in options(name):
                where = text if option in ("--help", "--json") else block
                self.assertIn(f"\n.TP\n\\fB{option}\\fR", where)

    def test_man_formats_it_without_a_warning(self):
        if not shutil.which("man"):
            self.skipTest("man is not here")
        done = subprocess.run(["man", "--warnings", "-l", "-E", "UTF-8", self.page], text=True, capture_output=True,
                              env=PERRIN.environment | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("perrin - diffusion experiments composed of plugins", done.stdout)

    def test_mandoc_finds_no_fault(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not here")
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", self.page], text=True, capture_output=True)
        # A date would make builds differ.
        found = [line for line in done.stdout.splitlines() if "missing date" not in line]
        self.assertEqual([], found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
