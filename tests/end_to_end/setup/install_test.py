"""install_test.py BUILD SOURCE TORCH_ROOT [TEST]: cmake --install, the prefix moved, then its programs and find_package(Perrin)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE, TORCH = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
CONSUMER = pathlib.Path(__file__).parent / "consumer"
VERSION = re.search(r"project\(Perrin VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]


def start(*command, **environment):
    """Without variables of Perrin's but those given."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PERRIN_", "LD_LIBRARY_PATH"))}
    given = {"PERRIN_PROBE_TIMEOUT": "600"} | environment  # for a busy machine
    return subprocess.run([str(part) for part in command], env=kept | {k: str(v) for k, v in given.items()},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(*command, **environment):
    done = start(*command, **environment)
    assert done.returncode == 0, f"exit {done.returncode} of {command}:\n{done.stdout[-3000:]}"
    return done.stdout


def exports(library):
    return [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]


def dynamic(file, tag):
    return [line.split("[")[1][:-1] for line in run("readelf", "-dW", file).splitlines() if f"({tag})" in line]


def torch_version():
    for header in ("torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"):
        if found := (TORCH / "include" / header).exists() and re.search(
                r'define TORCH_VERSION\b\s*\\?\s*"([\d.]+)', (TORCH / "include" / header).read_text()):
            return found[1]
    raise AssertionError(f"no TORCH_VERSION below {TORCH}")


class Moved(unittest.TestCase):
    """An installation that lies elsewhere than where it was installed, and a cache with LibTorch as ./perrin leaves it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        cls.first, cls.prefix = cls.top / "first", cls.top / "elsewhere/now"
        run("cmake", "--install", BUILD, "--prefix", cls.first)
        cls.prefix.parent.mkdir()
        cls.first.rename(cls.prefix)
        cls.cache = cls.top / "cache/perrin"
        cls.cache.mkdir(parents=True, mode=0o700)
        (cls.cache / f"libtorch-{torch_version()}").symlink_to(TORCH)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def configure(self, source, build, *options, **environment):
        environment.setdefault("PERRIN_CACHE", self.cache)
        return start("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", *options,
                     **environment)

    def build(self, source, build, *targets, **environment):
        done = self.configure(source, build, **environment)
        self.assertEqual(0, done.returncode, done.stdout[-3000:])
        run("ninja", "-C", build, *targets)


class Files(Moved):
    def test_the_installation_has_its_parts(self):
        doc = "share/doc/Perrin"
        for part in ("include/perrin/abi.h", "lib/cmake/Perrin/PerrinConfig.cmake", "share/perrin/experiments",
                     f"{doc}/LICENSE", f"{doc}/docs/setup.md", f"{doc}/examples/denoiser/CMakeLists.txt"):
            self.assertTrue((self.prefix / part).exists(), part)
        programs = {path.name for path in (BUILD / "bin").glob("perrin*") if path.is_file()}
        self.assertEqual({"perrin"}, {path.name for path in (self.prefix / "bin").iterdir()})
        self.assertEqual(programs - {"perrin"}, {path.name for path in (self.prefix / "libexec/perrin").iterdir()})
        built = {path.name for path in (BUILD / "lib/perrin/plugins").glob("*.so")}
        self.assertEqual(built, {path.name for path in (self.prefix / "lib/perrin/plugins").iterdir()})

    def test_no_file_names_a_folder_of_this_machine(self):
        places = "|".join(re.escape(str(place)) for place in (SOURCE, BUILD, TORCH, self.first))
        # Not a part of a longer relative path, which a short absolute one may equal.
        refused = re.compile(rf"(?<![\w.}}~-])(?:{places})/".encode())
        files = [path for path in self.prefix.rglob("*") if path.is_file()]
        found = {str(path.relative_to(self.prefix)): match[0] for path in files
                 if (match := refused.search(path.read_bytes()))}
        print(f"  {len(files)} files")
        self.assertEqual({}, found)

    def test_libraries_are_searched_for_beside_the_programs_alone(self):
        files = [*(self.prefix / "bin").iterdir(), *(self.prefix / "libexec/perrin").iterdir(),
                 *(self.prefix / "lib/perrin/plugins").iterdir()]
        paths = [path for file in files for text in dynamic(file, "RUNPATH") + dynamic(file, "RPATH")
                 for path in text.split(":")]
        print(*(f"  {path}" for path in sorted(set(paths))), sep="\n")
        self.assertEqual([], [path for path in paths if not path.startswith("$ORIGIN/")])


class Programs(Moved):
    def check(self, **environment):
        """A small experiment, from plugins that nobody has looked at yet: the engine and the probe both run."""
        index = tempfile.mkdtemp(dir=self.top)
        return start(self.prefix / "bin/perrin", "check", self.prefix / "share/perrin/experiments/toy-points.toml",
                     **{"XDG_CACHE_HOME": index, "OMP_NUM_THREADS": 1} | environment)

    def fine(self, **environment):
        done = self.check(**environment)
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn("toy-points.toml: fine", done.stdout)

    def test_the_version_needs_no_libtorch(self):
        self.assertEqual(f"perrin {VERSION}\n", run(self.prefix / "bin/perrin", "--version"))

    def test_libtorch_comes_from_the_variable_whatever_the_cache_has(self):
        self.fine(PERRIN_LIBTORCH=TORCH, PERRIN_CACHE=self.top)

    def test_libtorch_comes_from_the_cache_of_the_script(self):
        self.fine(PERRIN_CACHE=self.cache)
        self.fine(XDG_CACHE_HOME=self.cache.parent)

    def test_libtorch_may_lie_in_the_installation(self):
        beside = self.prefix / "lib/perrin/libtorch"
        beside.symlink_to(TORCH)
        self.addCleanup(beside.unlink)
        self.fine(PERRIN_CACHE=self.top)
        engine = start("ldd", self.prefix / "libexec/perrin/perrin-engine").stdout
        self.assertIn("libtorch_cpu.so => " + str(self.prefix), engine)

    def test_without_libtorch_there_is_one_error_that_says_where_it_was_looked_for(self):
        done = self.check(PERRIN_CACHE=self.top / "empty")
        print(done.stdout)
        self.assertEqual((1, 1), (done.returncode, done.stdout.count("error:")), done.stdout)
        for place in (self.prefix / "lib/perrin/libtorch", self.top / f"empty/libtorch-{torch_version()}"):
            self.assertIn(str(place), done.stdout)
        self.assertIn("fix: set PERRIN_LIBTORCH", done.stdout)


class Package(Moved):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consumer = cls.top / "consumer"
        cls.build(cls(), CONSUMER, cls.consumer)

    def test_the_manual_page_and_completions_lie_where_they_are_looked_for(self):
        for part in ("man/man1/perrin.1", "bash-completion/completions/perrin", "zsh/site-functions/_perrin",
                     "fish/vendor_completions.d/perrin.fish"):
            self.assertIn("perrin", (self.prefix / "share" / part).read_text(), part)

    def test_a_portable_plugin_exports_its_entry_and_needs_only_libc(self):
        library = self.consumer / "portable.so"
        self.assertEqual(["perrin_entry"], exports(library))
        self.assertLessEqual(set(dynamic(library, "NEEDED")), {"libc.so.6", "libasan.so.8", "libubsan.so.1"})

    def test_a_native_plugin_exports_its_entry_and_needs_the_shared_libtorch(self):
        library = self.consumer / "native.so"
        self.assertEqual(["perrin_entry"], exports(library))
        self.assertIn("libtorch_cpu.so", dynamic(library, "NEEDED"))
        self.assertNotIn("UNIQUE", run("readelf", "-sW", library))

    def test_its_plugins_are_installed_beside_the_built_in_ones_and_name_no_folder(self):
        plugins = self.prefix / "lib/perrin/plugins"
        before = set(plugins.iterdir())
        run("cmake", "--install", self.consumer, "--prefix", self.prefix)
        new = set(plugins.iterdir()) - before
        self.addCleanup(lambda: [path.unlink() for path in new])
        self.assertEqual({"portable.so", "native.so"}, {path.name for path in new})
        self.assertEqual([], dynamic(plugins / "native.so", "RUNPATH"))

    def test_the_built_in_plugins_build_as_a_project_of_their_own(self):
        build = self.top / "plugins"
        self.build(SOURCE / "plugins", build, "schedules/all", "losses/all")  # a family of each tier
        libraries = list(build.rglob("*.so"))
        print(*(f"  {library.name}: {' '.join(dynamic(library, 'NEEDED'))}" for library in libraries), sep="\n")
        self.assertEqual(2, len(libraries))
        for library in libraries:
            self.assertEqual(["perrin_entry"], exports(library))

    def test_a_project_in_c_needs_no_cxx_compiler(self):
        source = self.top / "c"
        source.mkdir()
        shutil.copy(CONSUMER / "c_only.cmake", source / "CMakeLists.txt")
        shutil.copy(CONSUMER / "portable.c", self.top)
        self.build(source, source / "build")
        self.assertEqual(["perrin_entry"], exports(source / "build/portable.so"))

    def test_the_example_in_c_builds_by_the_command_of_its_text(self):
        folder = self.prefix / "share/doc/Perrin/examples/c-schedule"
        command = next(line for line in (folder / "README.md").read_text().splitlines() if line.startswith("cc "))
        library = self.top / "example/example-schedule.so"
        library.parent.mkdir()
        run("sh", "-c", f"cd {folder} && {command.replace('example-schedule.so', str(library))}", PERRIN=self.prefix)
        shown = run(self.prefix / "bin/perrin", "plugin", "show", "example.cubic", PERRIN_PLUGIN_PATH=library.parent,
                    PERRIN_CACHE=self.cache, XDG_CACHE_HOME=self.top)
        self.assertIn("last_signal", shown)

    def test_while_it_is_0_x_another_minor_version_is_another_package(self):
        major, minor, _ = map(int, VERSION.split("."))
        source = self.top / "versions"
        source.mkdir()
        (source / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.22)\nproject(Versions LANGUAGES C)\n"
                                               "find_package(Perrin ${WANTED} REQUIRED)\n")
        for wanted, fits in ((f"{major}.{minor}", True), (f"{major}.{minor - 1}", False), (f"{major}.{minor + 1}", False)):
            done = self.configure(source, self.top / f"wants-{wanted}", f"-DWANTED={wanted}")
            self.assertEqual(fits, done.returncode == 0, f"{wanted}: {done.stdout}")
            self.assertEqual(not fits, "compatible with requested version" in " ".join(done.stdout.split()), done.stdout)

    def test_a_static_libtorch_is_refused(self):
        static = self.top / "static/lib"
        static.mkdir(parents=True)
        (static / "libtorch_cpu.a").touch()
        done = self.configure(CONSUMER, self.top / "refused", PERRIN_LIBTORCH=static.parent)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("static LibTorch", done.stdout)


class Embedded(Moved):
    def test_a_project_with_the_source_inside_gets_the_sdk_and_nothing_of_the_tests(self):
        build, prefix = self.top / "embedding", self.top / "embedding-prefix"
        source = pathlib.Path(__file__).parent / "embedding"
        done = self.configure(source, build, f"-DPERRIN_SOURCE={SOURCE}", "-DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON")
        self.assertEqual(0, done.returncode, done.stdout[-3000:])
        self.assertIn("Total Tests: 0", run("ctest", "--test-dir", build, "-N"))
        run("ninja", "-C", build, "portable")
        self.assertEqual(["perrin_entry"], exports(build / "portable.so"))
        self.assertNotIn("-Wpedantic", run("ninja", "-C", build, "-t", "commands", "portable"))
        run("cmake", "--install", build, "--prefix", prefix)
        self.assertEqual(["portable.so"], [path.name for path in prefix.rglob("*") if path.is_file()])


unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
