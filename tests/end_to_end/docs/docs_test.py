"""docs_test.py BUILD SOURCE SCRATCH [TEST]: what the documents show is what happens. See README.md beside this file."""
import difflib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import unittest

BUILD, SOURCE, SCRATCH = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
PYTHON = os.environ.get("PERRIN_PYTHON", "")  # has h5py and xarray; `./perrin test` provides it
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist").exists() or bool(os.environ.get("PERRIN_DATA"))
DOCUMENTS = ("README.md", "docs/tutorial.md", "docs/guides/swap-a-component.md", "docs/guides/write-a-plugin.md",
             "docs/guides/add-a-sampler.md", "docs/guides/your-own-images.md", "docs/guides/latent-diffusion.md",
             "docs/guides/weights.md", "docs/reference/command-line.md")
LANGUAGES = ("console", "toml", "python", "c", "cpp", "cmake", "diff", "text")


def ctest(*arguments):
    """Names of the tests that `ctest ARGUMENTS` would run."""
    listed = subprocess.run(["ctest", "--test-dir", BUILD, "-N", *arguments], capture_output=True, text=True).stdout
    return re.findall(r"Test +#\d+: (\S+)", listed)


class Block:
    """One fenced block: language, text, and the directives of the comment above it."""

    def __init__(self, document, line, comment, language, text):
        self.place, self.language, self.text = f"{document}:{line}", language, text
        words = shlex.split(comment)
        self.directives = {}
        for word in words:
            if word in ("append", "save", "excerpt", "patch", "exit", "interrupt", "covered"):
                name, self.directives[word] = word, ""
            else:
                self.directives[name] = word

    def commands(self):
        """(command, expected output lines) of a console block."""
        found = []
        for line in re.sub(r"\\\n", "", self.text).splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
        return found


def blocks_of(document):
    text = (SOURCE / document).read_text()
    pattern = r"(?:<!-- test: (.*?) -->\n+)?^```([a-z]*)\n(.*?)^```$"
    return [Block(document, text.count("\n", 0, m.start(2)) + 1, m[1] or "", m[2], m[3])
            for m in re.finditer(pattern, text, re.M | re.S)]


def plain(line):
    """A line without what differs between two runs: numbers, hashes, widths of columns, the folder."""
    line = re.sub(re.escape(str(SCRATCH)) + r"/[\w-]+", "/home/you", line)
    line = re.sub(r"\b[0-9][\w.:+-]*( (s|k)\b)?", "#", line)
    return re.sub(r"\s+", " ", line).strip()


def shows(expected, actual):
    """Do the expected lines stand in `actual` in this order, `...` being any lines?"""
    at, gap = 0, False
    for line in map(plain, expected):
        if line == "...":
            gap = True
            continue
        while at < len(actual) and actual[at] != line:
            if not gap:
                return False
            at += 1
        if at == len(actual):
            return False
        at, gap = at + 1, False
    return gap or not expected or at == len(actual)


class Reader:
    """Somebody who follows a document: a home folder, a checkout, one shell."""

    def __init__(self, name):
        self.home = SCRATCH / name
        shutil.rmtree(self.home, ignore_errors=True)
        self.checkout = self.home / "perrin"
        self.checkout.mkdir(parents=True)
        for part in ("docs/images", "experiments", "plugins/samplers", "sdk/examples", "sdk/include", "tests/unit/plugins_a"):
            shutil.copytree(SOURCE / part, self.checkout / part)
        (self.checkout / "build").mkdir()
        (self.checkout / "build/release").symlink_to(BUILD)
        program = self.checkout / "perrin"
        program.write_text(f'#!/bin/sh\nexec "{BUILD}/bin/perrin" "$@"\n')
        program.chmod(0o755)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("PERRIN_", "XDG_"))}
        self.environment |= {"HOME": str(self.home), "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "80"}
        self.environment["PERRIN_LIBTORCH"] = os.environ["PERRIN_LIBTORCH"]  # a reader has it in ~/.cache/perrin
        if shutil.which("ccache"):
            cache = subprocess.run(["ccache", "-k", "cache_dir"], capture_output=True, text=True).stdout.strip()
            self.environment |= {"CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_DIR": cache}
        self.cwd = str(self.checkout)

    def type(self, command, interrupt=False):
        """(exit code, output lines); `export` and `cd` last."""
        state = self.home / ".state"
        runs = set(self.checkout.rglob("run.h5"))
        script = f"exec {command}" if interrupt else f"{command}\ncode=$?\n{{ pwd; env -0; }} >{state}\nexit $code"
        process = subprocess.Popen(["bash", "-c", script], cwd=self.cwd, env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        if interrupt:
            self.press_control_c(process, runs)
        output = process.communicate(timeout=600)[0]
        if not interrupt:
            self.cwd, _, variables = state.read_text().partition("\n")
            self.environment = dict(v.split("=", 1) for v in variables.split("\0") if "=" in v)
        return process.returncode, output.splitlines()

    def press_control_c(self, process, runs):
        """Once there is a results file that was not there before."""
        began = time.monotonic()
        while set(self.checkout.rglob("run.h5")) <= runs and time.monotonic() - began < 60:
            time.sleep(0.05)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)


class Documents(unittest.TestCase):
    def follow(self, document):
        if "fashion-latent.toml" in (SOURCE / document).read_text() and not FASHION:
            self.skipTest("no Fashion-MNIST on this machine")
        self.reader = Reader(pathlib.Path(document).stem)
        for block in blocks_of(document):
            with self.subTest(block.place):
                self.assertIn(block.language, LANGUAGES, f"{block.place}: the block does not say what it is")
                self.check(block)

    def check(self, block):
        if "covered" in block.directives:
            self.assertTrue(ctest("-R", f"^{re.escape(block.directives['covered'])}$"), "there is no such test")
        elif "excerpt" in block.directives:
            self.assertIn(block.text, (SOURCE / block.directives["excerpt"]).read_text(), block.place)
        elif "save" in block.directives:
            path = pathlib.Path(self.reader.cwd, block.directives["save"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif "patch" in block.directives:
            self.patch(pathlib.Path(self.reader.cwd, block.directives["patch"]), block.text)
        elif block.language == "console":
            self.console(block)
        elif block.language == "python":
            if not PYTHON:
                self.skipTest("PERRIN_PYTHON is not set: run by ./perrin test")
            done = subprocess.run([PYTHON, "-c", block.text], cwd=self.reader.cwd, capture_output=True, text=True)
            self.assertEqual(0, done.returncode, f"{block.place}: {done.stderr}")
        else:
            self.assertEqual("text", block.language, f"{block.place}: nothing checks this block")

    def patch(self, path, diff):
        lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
        before = "\n".join(line[1:] for line in lines if line[:1] != "+")
        after = "\n".join(line[1:] for line in lines if line[:1] != "-")
        text = path.read_text()
        self.assertEqual(1, text.count(before), f"{path.name} does not have, once:\n{before}")
        path.write_text(text.replace(before, after))

    def console(self, block):
        for command, expected in block.commands():
            if "quickstart.toml" in command and not FASHION:
                self.skipTest("no Fashion-MNIST on this machine")
            shown = command
            if "perrin " in command and "append" in block.directives:
                command += " " + block.directives["append"]
            began = time.monotonic()
            code, output = self.reader.type(command, "interrupt" in block.directives)
            print(f"  {block.place}: {shown}: exit {code}, {time.monotonic() - began:.1f} s", flush=True)
            said = "\n".join(output[-60:])
            self.assertEqual(int(block.directives.get("exit", 0)), code, f"{block.place}: {command}\n{said}")
            actual = [plain(line) for line in output]
            if not shows(expected, actual):
                diff = difflib.unified_diff([plain(line) for line in expected], actual, "shown", "happens", lineterm="")
                self.fail(f"{block.place}: {command}\n" + "\n".join(diff))


class Commands(unittest.TestCase):
    """Commands within the text of every Markdown file that git knows."""

    def spans(self):
        listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", "*.md"],
                                capture_output=True, text=True)
        if listed.returncode != 0:
            self.skipTest("not a git checkout")
        for name in listed.stdout.split():
            prose = re.sub(r"^```.*?^```$", "", (SOURCE / name).read_text(), flags=re.M | re.S)
            for span in re.findall(r"`([^`\n]+)`", prose):
                yield name, span

    def test_each_selection_of_tests_that_is_named_selects_some(self):
        for name, span in self.spans():
            if not span.startswith("./perrin test -") or "[" in span:
                continue
            with self.subTest(f"{name}: {span}"):
                self.assertTrue(ctest(*shlex.split(span)[2:]), f"{name}: `{span}` runs no test")

    def test_each_link_leads_to_a_file(self):
        for name in {name for name, _ in self.spans()}:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (SOURCE / name).read_text()):
                with self.subTest(f"{name}: {target}"):
                    self.assertTrue(((SOURCE / name).parent / target).exists(), f"{name} links to {target}")


def follower(document):
    return lambda self: self.follow(document)


for path in DOCUMENTS:
    setattr(Documents, "test_" + re.sub(r"\W", "_", path), follower(path))
unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
