"""install_test.py BUILD SOURCE: cmake --install, then plugins by find_package(Perrin), and what they look like."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = map(pathlib.Path, sys.argv[1:])
CONSUMER = pathlib.Path(__file__).parent / "consumer"


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"exit {done.returncode} of {command}:\n{done.stdout[-3000:]}"
    return done.stdout


def exports(library):
    return [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]


def needed(library):
    return [line.split("[")[1][:-1] for line in run("readelf", "-dW", library).splitlines() if "(NEEDED)" in line]


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        cls.prefix = cls.top / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.build = cls.top / "consumer"
        run("cmake", "-G", "Ninja", "-S", CONSUMER, "-B", cls.build, f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        run("ninja", "-C", cls.build)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_installation_has_its_parts(self):
        for part in ("include/perrin", "lib/cmake/Perrin/PerrinConfig.cmake", "share/perrin/experiments"):
            self.assertTrue((self.prefix / part).exists(), part)
        programs = {path.name for path in (BUILD / "bin").glob("perrin*") if path.is_file()}
        self.assertEqual(programs, {path.name for path in (self.prefix / "bin").glob("*")})
        built = {path.name for path in (BUILD / "lib/perrin/plugins").glob("*.so")}
        self.assertEqual(built, {path.name for path in (self.prefix / "lib/perrin/plugins").glob("*.so")})

    def test_a_portable_plugin_exports_its_entry_and_needs_only_libc(self):
        library = self.build / "portable.so"
        self.assertEqual(["perrin_entry"], exports(library))
        self.assertLessEqual(set(needed(library)), {"libc.so.6", "libasan.so.8", "libubsan.so.1"})

    def test_a_native_plugin_exports_its_entry_and_needs_the_shared_libtorch(self):
        library = self.build / "native.so"
        self.assertEqual(["perrin_entry"], exports(library))
        self.assertIn("libtorch_cpu.so", needed(library))
        self.assertNotIn("UNIQUE", run("readelf", "-sW", library))

    def test_the_built_in_plugins_build_as_a_project_of_their_own(self):
        build = self.top / "plugins"
        run("cmake", "-G", "Ninja", "-S", SOURCE / "plugins", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("ninja", "-C", build, "schedules/all", "losses/all")  # a family of each tier
        libraries = list(build.rglob("*.so"))
        print(*(f"  {library.name}: {' '.join(needed(library))}" for library in libraries), sep="\n")
        self.assertEqual(2, len(libraries))
        for library in libraries:
            self.assertEqual(["perrin_entry"], exports(library))

    def test_a_project_in_c_needs_no_cxx_compiler(self):
        source = self.top / "c"
        source.mkdir()
        shutil.copy(CONSUMER / "c_only.cmake", source / "CMakeLists.txt")
        shutil.copy(CONSUMER / "portable.c", self.top)
        run("cmake", "-G", "Ninja", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("ninja", "-C", source / "build")
        self.assertEqual(["perrin_entry"], exports(source / "build/portable.so"))

    def test_a_static_libtorch_is_refused(self):
        static = self.top / "static/lib"
        static.mkdir(parents=True)
        (static / "libtorch_cpu.a").touch()
        done = subprocess.run(["cmake", "-G", "Ninja", "-S", CONSUMER, "-B", self.top / "refused",
                               f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DPERRIN_LIBTORCH={static.parent}"],
                              capture_output=True, text=True)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("static LibTorch", done.stderr)


unittest.main(argv=sys.argv[:1], verbosity=2)
