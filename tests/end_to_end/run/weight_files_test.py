"""Files of other programs where weights are named: read, or called what they are, with what to do.

Usage: weight_files_test.py PERRIN
"""
import gzip
import json
import pathlib
import pickle
import struct
import sys
import tempfile
import unittest
import zipfile

import h5py
import numpy as np
import safetensors.numpy

from program import Program

PERRIN = Program(sys.argv.pop(1))
ONE = struct.pack("<4f", 1, 2, 3, 4)


def raw(path, tensors, metadata=None, tail=b"", pad=0):
    """A safetensors file by hand: {name: (dtype, shape, bytes)}."""
    header, at = {} if metadata is None else {"__metadata__": metadata}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode() + b" " * pad
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(t[2] for t in tensors.values()) + tail)
    return path


class Files(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()

    def inspect(self, path):
        return PERRIN("weights", "inspect", path).stdout

    def refused(self, path, *parts):
        done = PERRIN("weights", "inspect", path, expect=1)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("checkpoint", done.stderr)
        return done.stderr

    def test_dtypes_and_offsets_of_the_format_are_read(self):
        for dtype, bits in {"BOOL": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
                            "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U16": 16, "U32": 32, "U64": 64, "C64": 64}.items():
            path = raw(self.folder / "a.safetensors", {"w": ("F32", [4], ONE), "s": (dtype, [4], b"\0" * (bits // 2))})
            self.assertIn(f"s  {dtype} [4]", self.inspect(path))
        raw(path, {"a": ("U8", [3], b"abc"), "w": ("F32", [4], ONE)}, pad=3)
        self.assertIn("w  F32 [4]", self.inspect(path))
        raw(path, {"w": ("F32", [4], ONE), "scaled_fp8": ("F8_E4M3", [0], b"")})
        self.assertIn("scaled_fp8  F8_E4M3 [0]", self.inspect(path))

    def test_faults_of_a_safetensors_file_are_named(self):
        path = self.folder / "a.safetensors"
        raw(path, {"w": ("F32", [4], ONE)}, tail=b"\0" * 8)
        self.refused(path, "8 bytes belong to no tensor", "download it, or write it, again")
        raw(path, {"w": ("F32", [5], ONE)})
        self.refused(path, 'tensor "w" does not fit its shape')
        raw(path, {"w": ("F32", [4], ONE)}, metadata={"step": 3})
        self.refused(path, 'its metadata has "step" = 3, and the format allows texts alone')
        raw(path, {"w": ("F9", [4], ONE)})
        self.refused(path, 'tensor "w" has the unknown type "F9"')
        path.write_bytes(raw(path, {"w": ("F32", [4], ONE)}).read_bytes()[:40])
        self.refused(path, "is cut or damaged")

    def test_other_kinds_are_called_what_they_are(self):
        def zipped(name, member):
            with zipfile.ZipFile(self.folder / name, "w") as archive:
                archive.writestr(member, b"x")

        zipped("new.ckpt", "archive/data.pkl")
        zipped("plain.zip", "readme.txt")
        np.savez(self.folder / "a.npz", w=np.zeros(3))
        np.save(self.folder / "a.npy", np.zeros(3))
        (self.folder / "old.bin").write_bytes(pickle.dumps(119547037146038801333356, 2) + pickle.dumps({"w": 1}, 2))
        (self.folder / "pointer.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
        (self.folder / "page.safetensors").write_text("<!DOCTYPE html><html>log in</html>" * 4)
        (self.folder / "config.json").write_text('{"hidden_size": 768}')
        (self.folder / "a.safetensors.gz").write_bytes(gzip.compress(b"x" * 99))
        with h5py.File(self.folder / "a.h5", "w") as file:
            file["w"] = [1.0]
        for name, parts in {"new.ckpt": ["PyTorch", "torch.load", "weights_only=True", "new.ckpt model.safetensors"],
                            "old.bin": ["a pickle", "torch.load"], "plain.zip": ["a zip archive"],
                            "a.npz": ["NumPy's archive", "numpy.load"], "a.npy": ["an array of NumPy"],
                            "pointer.safetensors": ["a pointer of Git LFS", "git lfs pull"],
                            "page.safetensors": ["a web page"], "config.json": ["JSON"], "a.h5": ["an HDF5 file"],
                            "a.safetensors.gz": ["compressed by gzip"]}.items():
            with self.subTest(name=name):
                self.refused(self.folder / name, "is no safetensors file: it is", *parts)

    def shards(self):
        for i, name in enumerate("ab"):
            safetensors.numpy.save_file({name: np.full(2, i, np.float32)}, self.folder / f"model-0000{i}.safetensors")
        return {"a": "model-00000.safetensors", "b": "model-00001.safetensors"}

    def index(self, weight_map):
        path = self.folder / "model.safetensors.index.json"
        path.write_text(json.dumps({"metadata": {"total_size": 16}, "weight_map": weight_map}))
        return path

    def test_shards_are_one_file(self):
        index = self.index(self.shards())
        for named in (index, self.folder):
            self.assertEqual("a  F32 [2]\nb  F32 [2]\n", self.inspect(named))

    def test_an_index_that_does_not_fit_is_refused(self):
        whole = self.shards()
        self.refused(self.index(whole | {"c": "model-00002.safetensors"}), "model-00002.safetensors, which is not there")
        self.refused(self.index(whole | {"c": "model-00001.safetensors"}), 'model-00001.safetensors has "c", and it has not')
        self.refused(self.index(whole | {"c": "../model-00001.safetensors"}), "no file beside it")
        self.refused(self.index({}), "lists no tensor")
        path = self.index(whole)
        path.write_text("[" * 100000)
        self.refused(path, 'has no "weight_map"')
        path.unlink()
        self.refused(self.folder, "has 2 safetensors files and 0 indices", "name the file")


if __name__ == "__main__":
    unittest.main()
