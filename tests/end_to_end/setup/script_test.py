"""script_test.py REPOSITORY: `perrin setup` on throw-away folders, tiny wheels, a local index and a scripted apt."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

REPOSITORY = pathlib.Path(sys.argv[1])
PYTHON = os.environ.get("PERRIN_PYTHON", "")  # has the pinned pip; `./perrin test` provides it


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def make_wheel(folder, name, version, files):
    """A wheel with those files; returns (name, version, sha256)."""
    stem = name.replace("-", "_")
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    info = f"{stem}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name, version, hashlib.sha256(path.read_bytes()).hexdigest()


@unittest.skipUnless(PYTHON, "PERRIN_PYTHON is not set: run by ./perrin test")
class Machine(unittest.TestCase):
    """A copy of the script with pins of its own, a package index in a folder, and stubs of dpkg-query and apt-get."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)
        self.root, self.cache, self.wheels, self.stubs = (self.top / n for n in ("repo", "cache", "wheels", "stubs"))
        shutil.copytree(REPOSITORY / ".ci", self.root / ".ci")
        shutil.copy(REPOSITORY / "perrin", self.root)
        self.wheels.mkdir()
        library = {"torch/lib/libtorch_cpu.so": "x" * 200_000, "torch/include/a.h": "", "torch/nn.py": ""}
        self.pins = [("cpu", *make_wheel(self.wheels, "torch", "9.0", library)),
                     ("cpu", *make_wheel(self.wheels, "nvidia-rt", "1.0", {"nvidia/cu/lib/librt.so.1": "y"})),
                     ("cuda", *make_wheel(self.wheels, "nvidia-blas", "2.0", {"nvidia/cu/lib/libblas.so.2": "z"}))]
        self.write_pins()
        self.final = self.cache / "libtorch-9.0"
        self.apt(installed=self.listed())

    def write_pins(self):
        lines = ["tool pip 0 0"] + [" ".join(pin) for pin in self.pins]
        (self.root / ".ci/pins.txt").write_text("\n".join(lines) + "\n")
        # Stands for the environment that set-up would make: the same stamp, and the pinned pip.
        executable(self.cache / "venv-setup/bin/pip", f'#!/bin/sh\nexec "{PYTHON}" -m pip "$@"\n')
        executable(self.cache / "venv-setup/bin/python", "#!/bin/sh\n")
        (self.cache / "venv-setup/.perrin").write_text("pip==0  ")

    def listed(self):
        lines = (self.root / ".ci/packages.txt").read_text().splitlines()
        return [line.split()[0] for line in lines if line and line[0] != "#"]

    def apt(self, installed, offered=()):
        """dpkg-query knows `installed`; apt-get installs what is `offered` and fails on the rest."""
        state = self.top / "installed"
        state.write_text("\n".join(installed) + "\n")
        (self.top / "offered").write_text("\n".join(offered) + "\n")
        executable(self.stubs / "dpkg-query", f"""#!/bin/sh
shift 2
for name; do grep -qxF -- "$name" {state} && printf 'ii %s\\n' "$name"; done; true
""")
        executable(self.stubs / "apt-cache", f'#!/bin/sh\ngrep -qxF -- "$2" {self.top}/offered\n')
        executable(self.stubs / "sudo", '#!/bin/sh\nexec "$@"\n')
        executable(self.stubs / "apt-get", f"""#!/bin/sh
[ "$1" = indextargets ] && {{ echo file://{self.top}/; exit; }}
echo "apt-get $*" >>{self.top}/apt.log
case "$*" in *" update") exit 0;; esac
for name; do case $name in -*|DPkg*|install) ;; *) grep -qxF -- "$name" {self.top}/offered || exit 100
echo "$name" >>{state};; esac; done
""")

    def perrin(self, *arguments, **environment):
        environment = {**os.environ, "PERRIN_LIBTORCH": None, "PERRIN_CACHE": str(self.cache),
                       "PATH": f"{self.stubs}:{os.environ['PATH']}", "PIP_NO_INDEX": "1",
                       "PIP_FIND_LINKS": str(self.wheels), **environment}
        environment = {key: value for key, value in environment.items() if value is not None}
        return subprocess.run([self.root / "perrin", *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)

    def succeeds(self, *arguments, **environment):
        done = self.perrin(*arguments, **environment)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("", done.stdout, "stdout belongs to the program")
        return done.stderr

    def fails(self, *arguments, **environment):
        done = self.perrin(*arguments, **environment)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertEqual(1, done.stderr.count("error:"), done.stderr)
        print(done.stderr, end="")
        return done.stderr


class LibTorch(Machine):
    def part(self, index=0):
        return self.cache / "downloads" / f"{self.pins[index][3]}.part"

    def wheel(self, index=0):
        return sorted(self.wheels.glob("torch-*"))[index]

    def test_a_fresh_machine_gets_libraries_and_headers_and_no_python_files(self):
        self.succeeds("setup")
        files = [p for p in self.final.rglob("*") if p.is_file() and not p.parent.name.endswith(".dist-info")]
        files = sorted(str(p.relative_to(self.final)) for p in files)
        self.assertEqual(["nvidia/cu/lib/librt.so.1", "torch/include/a.h", "torch/lib/libtorch_cpu.so"], files)
        self.assertEqual([], [p.name for p in (self.cache / "downloads").iterdir() if len(p.name) >= 64])

    def test_a_second_time_does_nothing(self):
        self.succeeds("setup")
        shutil.rmtree(self.wheels)
        self.assertNotIn("download", self.succeeds("setup"))

    def test_cuda_adds_to_the_same_folder(self):
        self.succeeds("setup")
        self.assertNotIn("torch 9.0", self.succeeds("setup", "--cuda"))
        self.assertTrue((self.final / "nvidia/cu/lib/libblas.so.2").exists())

    def test_a_download_cut_anywhere_continues(self):
        whole = self.wheel().read_bytes()
        for kept in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
            with self.subTest(kept=kept):
                shutil.rmtree(self.final, ignore_errors=True)
                self.part().parent.mkdir(parents=True, exist_ok=True)
                self.part().write_bytes(whole[:kept])
                self.succeeds("setup")
                self.assertTrue((self.final / "torch/lib/libtorch_cpu.so").exists())

    def test_an_unpacking_cut_short_starts_that_wheel_again(self):
        half = self.final.with_name(self.final.name + ".part") / "torch/lib/libtorch_cpu.so"
        half.parent.mkdir(parents=True)
        half.write_text("torn")
        self.succeeds("setup")
        self.assertEqual(200_000, (self.final / "torch/lib/libtorch_cpu.so").stat().st_size)

    def test_a_file_that_differs_from_its_pin_is_refused_and_deleted(self):
        self.part().parent.mkdir(parents=True, exist_ok=True)
        self.part().write_bytes(b"?" * 100)
        self.assertIn("pinned sha256", self.fails("setup"))
        self.assertFalse(self.part().exists())
        self.assertFalse(self.final.exists())
        self.succeeds("setup")

    def test_an_index_with_another_file_of_that_version_is_refused(self):
        self.pins[0] = (*self.pins[0][:3], "0" * 64)
        self.write_pins()
        self.assertIn("another file for torch 9.0", self.fails("setup"))

    def test_without_network_there_is_one_error_that_names_the_way_out(self):
        self.assertIn("PERRIN_LIBTORCH", self.fails("setup", PIP_FIND_LINKS=None))

    def test_a_libtorch_of_ones_own_is_taken_and_nothing_is_downloaded(self):
        own = self.top / "own/lib/libtorch_cpu.so"
        executable(own, "")
        self.assertIn(str(own.parent.parent), self.succeeds("setup", PERRIN_LIBTORCH=str(own.parent.parent)))
        self.assertEqual([], list((self.cache / "downloads").iterdir()))
        self.assertIn("libtorch_cpu.so", self.fails("setup", PERRIN_LIBTORCH=str(self.top)))


class Packages(Machine):
    def log(self):
        path = self.top / "apt.log"
        return path.read_text() if path.exists() else ""

    def test_nothing_missing_means_no_apt(self):
        self.succeeds("setup")
        self.assertEqual("", self.log())

    def test_only_what_is_missing_is_installed(self):
        self.apt([name for name in self.listed() if name not in ("ccache", "libpng-dev")], ["ccache", "libpng-dev"])
        self.succeeds("setup")
        self.assertRegex(self.log(), "install --no-install-recommends ccache libpng-dev\n")

    def test_an_optional_package_that_is_not_offered_is_asked_for_once(self):
        self.apt([name for name in self.listed() if name != "dataset-fashion-mnist"])
        self.assertIn("without the package dataset-fashion-mnist", self.succeeds("setup"))
        (self.top / "apt.log").unlink()
        self.assertNotIn("fashion", self.perrin("test").stderr)
        self.assertEqual("", self.log())
        self.assertIn("without the package dataset-fashion-mnist", self.succeeds("setup"))

    def test_the_toml_headers_come_from_the_pool_where_apt_does_not_offer_them(self):
        deb = self.top / "pool/universe/t/tomlplusplus/libtomlplusplus-dev_3_amd64.deb"
        content = self.top / "content"
        fields = "Package: t\nVersion: 3\nArchitecture: amd64\nMaintainer: t\nDescription: t\n"
        executable(content / "DEBIAN/control", fields)
        executable(content / "usr/include/toml++/toml.h", "")
        deb.parent.mkdir(parents=True)
        subprocess.run(["dpkg-deb", "-b", content, deb], check=True, stdout=subprocess.DEVNULL)
        self.pins.append(("deb", "libtomlplusplus-dev", "3", hashlib.sha256(deb.read_bytes()).hexdigest()))
        self.write_pins()
        self.apt([name for name in self.listed() if name != "libtomlplusplus-dev"])
        self.succeeds("setup")
        self.assertTrue((self.cache / "tomlplusplus-3/usr/include/toml++/toml.h").exists())

    def test_a_required_package_that_is_not_offered_stops(self):
        self.apt([name for name in self.listed() if name != "libhdf5-dev"])
        self.assertIn("could not install: libhdf5-dev", self.fails("setup"))

    def test_an_unknown_argument_is_a_usage_error(self):
        self.assertEqual(2, self.perrin("setup", "--gpu").returncode)


unittest.main(argv=sys.argv[:1], verbosity=2)
