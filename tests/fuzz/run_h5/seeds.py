def seeds():
    yield from (b"\1\0\0\0\0\0\0\0", b"\2metrics/train", bytes(range(64)))
