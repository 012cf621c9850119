import pathlib


def seeds():
    for path in sorted((pathlib.Path(__file__).parents[3] / "experiments").glob("*.toml")):
        yield path.read_bytes()
    yield b"\0denoiser.channels=[1,2]"
