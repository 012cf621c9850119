import gzip
import struct


def seeds():
    for plain in (struct.pack(">4I", 0x803, 1, 2, 2) + b"abcd", struct.pack(">2I", 0x801, 3) + b"\1\2\3"):
        yield plain
        yield gzip.compress(plain)
    yield bytes(3073)
    yield bytes(2 * 3074)
