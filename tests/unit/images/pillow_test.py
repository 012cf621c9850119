"""pillow_test.py DECODE: Perrin's pixels of each kind of file are Pillow's, and what is lost is refused by name."""
import io
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import unittest
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

import kinds

DECODE = sys.argv[1]
warnings.simplefilter("ignore")


class Decoder:
    def __init__(self, folder, **options):
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen([DECODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)

    def __call__(self, name, data, channels):
        """(pixels [h, w, c], header) or the reason why not."""
        path = self.folder / name
        path.write_bytes(data)
        self.process.stdin.write(f"{channels} {path}\n".encode())
        self.process.stdin.flush()
        word, rest = self.process.stdout.readline().decode().rstrip("\n").split(" ", 1)
        if word == "no":
            return rest
        height, width, *header = map(int, rest.split())
        read = self.process.stdout.read(height * width * channels)
        return np.frombuffer(read, np.uint8).reshape(height, width, channels), header

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def peer(data, channels):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode == "I;16":  # Pillow's convert clips at 255; the high byte is what it takes of 16-bit colour
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    pixels = np.asarray(image.convert("RGB").convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(image.height, image.width, channels)


class WithDecoder(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.decode = Decoder(self.scratch.name)

    def tearDown(self):
        self.assertEqual(0, self.decode.close())
        self.scratch.cleanup()

    def same(self, name, data, expected, channels):
        found = self.decode(name, data, channels)
        self.assertIsInstance(found, tuple, found)
        pixels, header = found
        self.assertEqual(expected.shape, pixels.shape)
        self.assertEqual(list(expected.shape[:2]), header[:2], "the header's size is the upright picture's")
        self.assertEqual(0, np.count_nonzero(pixels != expected), "values that differ")

    def refused(self, name, data, reason="."):
        found = self.decode(name, data, 3)
        self.assertIsInstance(found, str, f"{name} was read")
        self.assertIn(name, found)
        self.assertRegex(found, reason)


class Pillow(WithDecoder):
    def test_each_kind_has_pillows_pixels(self):
        every = kinds.every()
        for name, data in every.items():
            for channels in (1, 3):
                with self.subTest(name, channels=channels):
                    self.same(name, data, peer(data, channels), channels)
        print(f"  {len(every)} kinds of files, as grey and as colour")
        self.assertGreater(len(every), 150)

    def test_the_header_counts_frames(self):
        every = kinds.every()
        for name, frames in {"animated.png": 2, "RGB-animated.webp": 2, "pillow-RGB.png": 1, "RGB-95.jpg": 1, "RGB-90.webp": 1}.items():
            self.assertEqual(frames, self.decode(name, every[name], 3)[1][2], name)

    def test_grey_of_16_bits_is_what_pillow_reads_in_equal_colours(self):
        grey = kinds.png((23, 17), 16, 0)
        values = np.asarray(Image.open(io.BytesIO(grey)))
        rows = b"".join(b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in values)
        colour = kinds.png((23, 17), 16, 2, rows=rows)
        for channels in (1, 3):
            self.same("grey16.png", grey, peer(colour, channels), channels)


class TheStandardsTransparency(WithDecoder):
    """A tRNS chunk means the stored value (PNG 3rd edition, 11.3.1.1), which Pillow compares with the expanded or shortened one."""

    def test_the_stored_value_is_white(self):
        for depth, rows, value, expected in ((1, b"\0\x50", 1, (0, 255, 0, 255)), (2, b"\0\x1b", 2, (0, 85, 255, 255)),
                                             (4, b"\0\x0b\x2b", 11, (0, 255, 34, 255))):
            data = kinds.png((4, 1), depth, 0, kinds.chunk(b"tRNS", struct.pack(">H", value)), rows=rows)
            self.same(f"{depth}.png", data, np.array(expected, np.uint8).reshape(1, 4, 1), 1)
        for colour, pixels in ((0, (0x4001, 0x4002)), (2, (0x40018002C003, 0x40018002C004))):
            size = 2 * kinds.SAMPLES[colour]
            data = kinds.png((2, 1), 16, colour, kinds.chunk(b"tRNS", pixels[0].to_bytes(size, "big")),
                             rows=b"\0" + b"".join(p.to_bytes(size, "big") for p in pixels))
            kept = pixels[1].to_bytes(size, "big")[::2] * (3 if colour == 0 else 1)
            self.same(f"16-{colour}.png", data, np.array([255] * 3 + list(kept), np.uint8).reshape(1, 2, 3), 3)


class Warnings(WithDecoder):
    def setUp(self):
        super().setUp()
        self.jpeg = kinds.saved(kinds.picture("RGB"), "JPEG", quality=95)
        self.scan = self.jpeg.index(b"\xff\xda") + 14  # behind the SOS segment of three components
        self.progressive = kinds.saved(kinds.picture("RGB"), "JPEG", quality=95, progressive=True)

    def test_what_loses_nothing_passes_with_the_clean_files_pixels(self):
        jpeg, adobe = self.jpeg, kinds.saved(kinds.picture("RGB"), "JPEG", quality=95, keep_rgb=True)
        clean, rgb = peer(jpeg, 3), peer(adobe, 3)
        mark = adobe.index(b"Adobe")
        for name, data in {"bytes-before-end.jpg": jpeg[:-2] + b"\0" * 16 + jpeg[-2:],
                           "one-byte-before-end.jpg": jpeg[:-2] + b"\x55" + jpeg[-2:],
                           "sos-parameters.jpg": jpeg[:self.scan - 3] + b"\0\0\0" + jpeg[self.scan:],
                           "jfif-3.jpg": jpeg.replace(b"JFIF\0\1\1", b"JFIF\0\3\1", 1),
                           "bytes-before-a-segment.jpg": jpeg[:20] + b"\0\0\0" + jpeg[20:],
                           "padded-marker.jpg": jpeg[:20] + b"\xff\xff\xff" + jpeg[20:],
                           "behind-the-end.jpg": jpeg + b"\0" * 99}.items():
            with self.subTest(name):
                self.same(name, data, clean, 3)
                self.same(name, data, peer(data, 3), 3)
        unknown = adobe[:mark + 11] + b"\7" + adobe[mark + 12:]
        self.same("adobe-7.jpg", unknown, peer(unknown, 3), 3)
        with self.subTest("only the end mark is missing: Pillow refuses it, and nothing is lost"):
            self.same("no-end.jpg", jpeg[:-2], clean, 3)

    def test_lost_data_are_refused_by_name(self):
        jpeg, progressive = self.jpeg, self.progressive
        restarts = kinds.saved(kinds.picture("RGB"), "JPEG", restart_marker_blocks=1)
        scans = [i for i in range(len(progressive) - 1) if progressive[i:i + 2] == b"\xff\xda"]
        cut = {"cut.jpg": jpeg[:self.scan + 6], "cut-late.jpg": jpeg[:-20], "cut-with-end.jpg": jpeg[:-60] + b"\xff\xd9",
               "cut-with-end-early.jpg": jpeg[:self.scan + 30] + b"\xff\xd9",
               "header-only.jpg": jpeg[:self.scan], "progressive-cut.jpg": progressive[:-40],
               "restart-lost.jpg": restarts.replace(b"\xff\xd1", b"\xff\xd4", 1)}
        for n, at in enumerate(scans[1:], 1):
            cut[f"progressive-of-{n}-scans.jpg"] = progressive[:at] + b"\xff\xd9"
            cut[f"progressive-of-{n}-scans-no-end.jpg"] = progressive[:at]
        for name, data in cut.items():
            with self.subTest(name):
                self.refused(name, data, "JPEG image cannot be read")

    def test_damaged_pngs_are_refused_by_name(self):
        whole = kinds.saved(kinds.picture("RGB"), "PNG")
        data = whole.index(b"IDAT") + 4
        palette = kinds.png((9, 9), 8, 3, kinds.PALETTE + kinds.chunk(b"tRNS", b"\0\x80"))
        opacity = palette.index(b"tRNS") + 4
        for name, bad in {"rows-missing.png": kinds.png((4, 4), 8, 0, rows=b"\0\1\2\3\4"),
                          "filter.png": kinds.png((2, 1), 8, 0, rows=b"\7\1\2"),
                          "flipped.png": whole[:data + 20] + bytes([whole[data + 20] ^ 1]) + whole[data + 21:],
                          "no-palette.png": kinds.png((4, 4), 8, 3),
                          "opacity-damaged.png": palette[:opacity] + b"\x70" + palette[opacity + 1:],
                          "no-data.png": whole[:data - 8] + whole[-12:], "header-only.png": whole[:33],
                          "cut-header.png": whole[:20], "signature.png": whole[:8],
                          "checksum.png": kinds.png((2, 1), 8, 0, packed=zlib.compress(b"\0\1\2")[:-1] + b"\0")}.items():
            with self.subTest(name):
                self.refused(name, bad, "PNG image cannot be read")

    def test_every_cut_is_refused_by_name(self):
        every = kinds.every()
        for name, end in {"pillow-RGBA.png": 16, "RGB-95.jpg": 4, "CMYK-95-progressive.jpg": 2, "RGBA-90.webp": 1,
                          "RGB-lossless.webp": 1, "RGB-animated.webp": 1, "type3-4bit-adam7.png": 16}.items():
            whole = every[name]
            for n in range(0, len(whole) - end, 1 + len(whole) // 150):
                with self.subTest(name, bytes=n):
                    self.refused(name, whole[:n])


def jpeg_header(width, height, progressive=False):
    whole = kinds.saved(kinds.picture("RGB", (16, 16)), "JPEG", progressive=progressive)
    frame = whole.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return whole[:frame] + struct.pack(">HH", height, width) + whole[frame + 4:]


def png_header(width, height, depth=8, colour=6):
    return kinds.png((1, 1), depth, colour)[:16] + kinds.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))[8:] + \
        kinds.chunk(b"IDAT", zlib.compress(b"\0" * 100)) + kinds.chunk(b"IEND", b"")


def webp_header(width, height):
    bits = (width - 1) | (height - 1) << 14 | 1 << 28
    return kinds.riff((b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\x88\x88\x08"))


def limited():
    if "ASAN_OPTIONS" in os.environ:
        return  # its shadow takes terabytes of addresses; it limits the memory itself (CMakeLists.txt)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))


class Bombs(WithDecoder):
    """Headers that ask for gigabytes, under a limit of 256 MiB of addresses."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.decode = Decoder(self.scratch.name, preexec_fn=limited)

    def test_headers_of_too_many_pixels(self):
        for name, data in {"bomb.jpg": jpeg_header(65500, 65500), "progressive.jpg": jpeg_header(65500, 65500, True),
                           "bomb.png": png_header(30000, 30000), "wide.png": png_header(2**31 - 1, 1), "tall.png": png_header(1, 2**31 - 1),
                           "bomb.webp": webp_header(16383, 16383), "deep.png": png_header(50000, 50000, 16)}.items():
            with self.subTest(name):
                self.refused(name, data, "at most 178956970 are read")

    def test_headers_of_more_pixels_than_their_bytes_can_hold(self):
        for name, data in {"jpeg.jpg": jpeg_header(13000, 13000), "progressive.jpg": jpeg_header(13000, 13000, True),
                           "png.png": png_header(13000, 13000), "wide.png": png_header(170000000, 1), "16.png": png_header(13000, 13000, 16)}.items():
            with self.subTest(name):
                self.refused(name, data, "cannot hold")

    def test_texts_and_profiles_are_not_unpacked_without_limit(self):
        bomb = zlib.compress(b"\0" * (300 << 20))
        whole = kinds.saved(kinds.picture("RGB"), "PNG")
        for kind, head in {b"zTXt": b"Raw profile type exif\0\0", b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0", b"iCCP": b"x\0\0"}.items():
            self.same(kind.decode() + ".png", kinds.with_chunk(whole, kinds.chunk(kind, head + bomb)), peer(whole, 3), 3)

    def test_a_progressive_file_has_so_many_scans_at_most(self):
        whole = kinds.saved(kinds.picture("L", (64, 64)), "JPEG", progressive=True)
        at = whole.index(b"\xff\xda")
        end = whole.index(b"\xff", at + 2)
        while whole[end + 1] == 0 or 0xD0 <= whole[end + 1] <= 0xD7:
            end = whole.index(b"\xff", end + 2)
        self.refused("scans.jpg", whole[:at] + whole[at:end] * 200 + whole[end:], "more than 100 scans")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
