"""structure_test.py SOURCE: include directions, thread tags of the SDK, and no trace of a machine in the tree."""
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
# Callbacks of the SDK whose comments lack a tag; an entry that is no longer needed fails the test.
STD = re.compile(r"<[a-z0-9_]+(\.h)?>|<sys/[a-z]+\.h>")
TORCH = re.compile(r'<(ATen|c10|caffe2|torch)/')


def files(*folders):
    for folder in folders:
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.suffix in (".h", ".hpp", ".c", ".cpp"):
                yield path


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s+([<"][^>"]+[>"])', line):
            yield number, found[1]


class Arrows(unittest.TestCase):
    def refuse(self, folders, allowed, rule):
        seen, wrong = 0, []
        for path in files(*folders):
            for number, name in includes(path):
                seen += 1
                if not allowed(path, name):
                    wrong.append(f"{path.relative_to(SOURCE)}:{number}: {name}")
        print(f"  {' '.join(folders)}: {seen} includes, {rule}")
        self.assertEqual([], wrong, rule)

    def test_plugins_see_the_sdk_torch_file_formats_and_their_own_folder(self):
        formats = ("<zlib.h>", "<nlohmann/json.hpp>", "<utf8proc.h>")

        def allowed(path, name):
            bare = name[1:-1]
            return bool(STD.fullmatch(name) or TORCH.match(name) or bare.startswith("perrin/") or name in formats or
                        (name[0] == '"' and (path.parent / bare).exists() and "/" not in bare.removeprefix("data/")))
        self.refuse(("plugins", "sdk/examples"), allowed, "only perrin/, the standard library, LibTorch, file formats, own files")

    def test_the_sdk_sees_itself_and_torch(self):
        def allowed(path, name):
            inside = (path.parent / name[1:-1]).resolve()
            return bool(STD.fullmatch(name) or TORCH.match(name) or
                        (inside.exists() and (SOURCE / "sdk/include").resolve() in inside.parents))
        self.refuse(("sdk/include",), allowed, "only its own headers, the standard library and LibTorch")

    def test_portable_headers_see_no_torch(self):
        native = {"torch.hpp", "nn.hpp", "layers.hpp", "checkpoint.hpp", "torch_loss.hpp", "denoiser.hpp", "conditioner.hpp",
                  "encoder.hpp", "extractor.hpp", "open_extractor.hpp", "weights.hpp"}
        wrong = [str(p.relative_to(SOURCE)) for p in files("sdk/include") if p.name not in native
                 for _, name in includes(p) if TORCH.match(name)]
        self.assertEqual([], wrong)

    def test_metrics_see_neither_host_nor_files(self):
        self.refuse(("metrics",), lambda _, name: not re.match(r'.(host/|plugins/|fstream|filesystem|cstdio|hdf5)', name),
                    "neither the host nor files")

    def test_the_host_sees_no_plugin(self):
        self.refuse(("host",), lambda _, name: "plugins/" not in name, "plugins are loaded, never included")

    def test_nothing_sees_the_tests(self):
        self.refuse(("sdk", "host", "plugins", "metrics"), lambda _, name: "tests/" not in name and "gtest" not in name,
                    "nothing includes tests")


# Each folder of host/ and those that it may include, besides itself.
ORDER = {
    "base": [], "config": ["base"], "images": ["base"], "store": ["base"], "console": ["base"], "kernels": ["base"],
    "loader": ["base", "config"],
    "services": ["base", "config", "images", "store", "kernels", "loader"],
}
for folder, more in {"model": [], "data": ["model"], "sample": ["model", "data"], "train": ["model", "data"],
                     "runs": ["model", "data", "train"], "record": ["model", "data", "train", "runs"],
                     "life": ["model", "data", "sample", "train", "runs", "record"],
                     "evaluate": ["model", "data", "sample", "train"]}.items():
    ORDER[folder] = [*ORDER["services"], "services", *more]
ORDER["app"] = list(ORDER)


def modules(root):
    """The module graph of a tree: a header and its source are one module, named without an ending."""
    graph = {}
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".hpp", ".cpp", ".h"):
            continue
        own = str(path.relative_to(root).with_suffix(""))
        used = {str(pathlib.PurePath(name[1:-1].removeprefix(root.name + "/")).with_suffix(""))
                for _, name in includes(path) if name.startswith(f'"{root.name}/')}
        graph.setdefault(own, set()).update(used - {own})
    return graph


def cycles(graph):
    """The groups of modules that include each other (Tarjan's strongly connected components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                found.append(sorted(group))
    for node in graph:
        if node not in index:
            visit(node)
    return found


class Modules(unittest.TestCase):
    def test_the_check_itself_finds_a_cycle(self):
        self.assertEqual([["a", "b", "c"]], cycles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}))
        self.assertEqual([], cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}))

    def test_no_modules_of_the_host_include_each_other(self):
        graph = modules(SOURCE / "host")
        print(f"  {len(graph)} modules, {sum(map(len, graph.values()))} arrows")
        self.assertEqual([], cycles(graph))

    def test_the_folders_of_the_host_keep_their_order(self):
        folders = {path.name for path in (SOURCE / "host").iterdir() if path.is_dir()}
        self.assertEqual(set(ORDER), folders, "each folder has its place in ORDER")
        wrong = [f"{own} includes {used}" for own, all_used in modules(SOURCE / "host").items() for used in sorted(all_used)
                 if used.split("/")[0] not in [own.split("/")[0], *ORDER[own.split("/")[0]]]]
        self.assertEqual([], wrong)


def untagged(text):
    """Names of the function pointers in structs that carry no thread tag: in the comment on their line, in the comment
    nearest above it, or in the comment above the struct, which then holds for all."""
    missing = []
    pattern = r"((?:/\*(?:[^*]|\*(?!/))*\*/\s*)?)typedef struct \w+ \{(.*?)^\}"
    for struct in re.finditer(pattern, text, re.M | re.S):
        if re.search(TAG, struct[1]):
            continue
        tagged = False
        for member in re.finditer(r"(/\*.*?\*/)|\(\*(\w+)\)\([^;]*;([ \t]*/\*.*?\*/)?", struct[2], re.S):
            comment, name, beside = member.groups()
            if comment:
                tagged = bool(re.search(TAG, comment))
            elif name and not (tagged or re.search(TAG, beside or "")):
                missing.append(name)
    return missing


TAG = r"\[(load|instance-serial|any)\]"


class ThreadTags(unittest.TestCase):
    def test_the_check_itself_finds_an_omission(self):
        self.assertEqual(["b"], untagged("typedef struct x {\n  /* [any] */\n  int (*a)(void);\n  /* no */\n  int (*b)(int\n"
                                         "  c);\n  int (*d)(void); /* [load] */\n} x;\n"))
        self.assertEqual([], untagged("/* All [any]. */\ntypedef struct x {\n  int (*a)(void);\n} x;\n"))

    def test_each_callback_says_which_thread_may_call_it(self):
        found = {p.name: names for p in files("sdk/include") if p.suffix == ".h" and (names := untagged(p.read_text()))}
        self.assertEqual({}, found)


class Versions(unittest.TestCase):
    def test_every_file_that_says_the_version_says_the_same(self):
        said = {"CMakeLists.txt": r"^project\(Perrin VERSION (\S+)", "sdk/include/perrin/abi.h": r'PERRIN_SDK_VERSION "(.+)"',
                "CITATION.cff": r"^version: (\S+)$", "CHANGELOG.md": r"^## (\S+?),? "}
        found = {file: (match := re.search(pattern, (SOURCE / file).read_text(), re.M)) and match[1]
                 for file, pattern in said.items()}
        self.assertEqual(1, len(set(found.values())), found)
        self.assertNotIn(None, found.values())


class Traces(unittest.TestCase):
    def test_no_machine_paths_and_no_registry_hosts(self):
        listed = subprocess.run(["git", "-C", SOURCE, "ls-files"], capture_output=True, text=True)
        if listed.returncode != 0:
            self.skipTest("not a git checkout")
        # Written in pieces, so that this file does not find itself.
        refused = re.compile("|".join(["/" + "root/", "/" + "work/(main|shared)", "/home/(?!you/)[a-z]+/", "pypi" + r"\.org",
                                       "pythonhosted" + r"\.org", "index" + "-url"]))
        wrong = []
        for name in listed.stdout.split("\n"):
            path = SOURCE / name
            if not path.is_file() or path.suffix in (".png", ".h5", ".bin"):
                continue
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if found := refused.search(line):
                    wrong.append(f"{name}:{number}: {found[0]}")
        self.assertEqual([], wrong)


unittest.main(argv=sys.argv[:1], verbosity=2)
