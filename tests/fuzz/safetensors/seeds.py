import json
import struct


def file(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def seeds():
    yield file({"a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
                "b": {"dtype": "F4", "shape": [2], "data_offsets": [8, 9]}, "__metadata__": {"format": "pt"}}, bytes(9))
    for shape in ([0], [0, -1], [0, 1 << 63], [0, 1e300], [0, 0.5]):  # all but the first were findings
        yield file({"n": {"dtype": "I64", "shape": shape, "data_offsets": [0, 0]}})
    yield b'{"metadata": {}, "weight_map": {"a": "a"}}'
