import json
import pathlib
import subprocess
import tempfile

LIBRARY = b"""
__attribute__((section(".note.perrin.abi"), aligned(4), used)) static const struct {
  unsigned name, size, type; char text[8]; unsigned note[30]; } note = {7, 120, 1, "Perrin", {1, 0, 1}};
int perrin_entry = 1; int puts(const char*); int call(void) { return puts("x"); }
"""
KEY = {"name": "k", "type": "number", "default": 1.5, "min": 0, "doc": "d"}
LINES = ({"step": {"component": "x", "call": "create"}},
         {"component": {"kind": "sampler", "id": "x", "version": "1", "doc": "d", "keys": [KEY]}},
         {"problem": {"what": "w", "fix": "f"}}, {"done": True})


def seeds():
    yield "".join(json.dumps(line) + "\n" for line in LINES).encode()
    yield b"\1[sampler one two 1.5 {}\\ \1\2\3"
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "x.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-s", "-nostdlib", "-Wl,-z,noseparate-code", "-x", "c", "-o", library, "-"],
                       input=LIBRARY, check=True)
        yield library.read_bytes()
