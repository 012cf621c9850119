"""pictures_test.py PERRIN: a file is one picture for the dataset, --init, --image and --mask; `perrin check --data`."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import safetensors.numpy
from PIL import Image, ImageOps

from program import SMALL_UNET, Program, write

PERRIN = Program(sys.argv.pop(1))
HEAD = """
[experiment]
name = "pictures"
[dataset]
use = "image-folder"
folder = "data"
labels = "none"
size = 8
"""
TAIL = "[[stage]]\nsteps = 1\nbatch_size = 1\n[sampler]\nsteps = 2\n[samples]\ncount = 1\n"


def ramp(mode, size=(8, 8)):
    bands = len(mode) if mode != "P" else 1
    return Image.frombytes(mode, size, bytes(i * 37 % 256 for i in range(bands * size[0] * size[1])))


def peer(path, mode="RGB"):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB").convert(mode)


def unit(image):
    return np.asarray(image).transpose(2, 0, 1) / 127.5 - 1


class Scratch(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        (self.folder / "data").mkdir()
        ramp("RGB").save(self.folder / "data" / "1.png")

    def tearDown(self):
        self.scratch.cleanup()

    def made(self, more=""):
        run = self.folder / "run"
        PERRIN("run", write(self.folder / "a.toml", HEAD + more + SMALL_UNET + TAIL), "--out", run)
        return run


class Shown(Scratch):
    def kept(self, run, init, mask=None):
        """(What a mask that keeps all makes of a start, what was said on stderr)."""
        if mask is None:
            mask = self.folder / "keep.png"
            with Image.open(init) as image:
                Image.new("L", image.size, 0).save(mask)
        done = PERRIN("sample", run, "--init", init, "--mask", mask, "--out", self.folder / "out")
        return safetensors.numpy.load_file(self.folder / "out.safetensors")["samples"][0], done.stderr

    def test_a_start_is_the_picture_that_pillow_and_the_dataset_see(self):
        run, folder = self.made(), self.folder
        turned = Image.Exif()
        turned[0x0112] = 3
        ramp("RGBA").save(folder / "alpha.png")
        ramp("LA").save(folder / "grey-alpha.png")
        ramp("L").save(folder / "grey.png")
        ramp("RGB").quantize(9).save(folder / "palette.png")
        ramp("L").convert("1").save(folder / "bits.png")
        ramp("RGB").save(folder / "turned.jpg", exif=turned)
        ramp("CMYK").save(folder / "cmyk.jpg")
        ramp("RGB").save(folder / "turned.webp", lossless=True, exif=turned)
        for name in "alpha.png", "grey-alpha.png", "grey.png", "palette.png", "bits.png", "turned.jpg", "cmyk.jpg", "turned.webp":
            with self.subTest(name):
                found, said = self.kept(run, folder / name)
                np.testing.assert_allclose(found, unit(peer(folder / name)), atol=1e-6)
                self.assertNotIn("scaled", said)

    def test_masks_of_every_mode_are_one_mask(self):
        run = self.made()
        mask = Image.new("L", (8, 8), 0)
        mask.paste(255, (0, 0, 4, 8))
        clear = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
        clear.paste((0, 0, 0, 0), (0, 0, 4, 8))
        for name, image in {"l.png": mask, "rgb.png": mask.convert("RGB"), "1.png": mask.convert("1"), "p.png": mask.convert("P"),
                            "rgba.png": clear, "l.webp": mask.convert("RGB")}.items():
            image.save(self.folder / name, **({"lossless": True} if name.endswith("webp") else {}))
            found, _ = self.kept(run, self.folder / "data" / "1.png", self.folder / name)
            known = unit(ramp("RGB"))
            with self.subTest(name):
                np.testing.assert_allclose(found[..., 4:], known[..., 4:], atol=1e-6)
                self.assertFalse((np.abs(found[..., :4] - known[..., :4]) < 1e-6).all(), "the white half is made anew")

    def test_another_size_is_scaled_and_cut_as_the_dataset_does(self):
        ramp("RGB", (23, 12)).save(self.folder / "wide.png")
        for more, wanted, word in ((
                "", ramp("RGB", (23, 12)).resize((15, 8), Image.Resampling.LANCZOS).crop((3, 0, 11, 8)), "scaled and cropped"),
                ('fit = "stretch"\nfilter = "bicubic"\n', ramp("RGB", (23, 12)).resize((8, 8), Image.Resampling.BICUBIC), "stretched")):
            run = self.made(more)
            found, said = self.kept(run, self.folder / "wide.png")
            np.testing.assert_allclose(found, unit(wanted), atol=1.01 / 127.5)  # Pillow's fixed point: one level
            self.assertIn(f"wide.png: 23 x 12 pixels, {word} to the run's 8 x 8", said)
            shutil.rmtree(run)

    def test_a_mask_has_its_images_size(self):
        run = self.made()
        Image.new("L", (8, 4)).save(self.folder / "small.png")
        done = PERRIN("sample", run, "--init", self.folder / "data" / "1.png", "--mask", self.folder / "small.png", expect=2)
        self.assertIn("the mask is 8 x 4 pixels, and its image 8 x 8", done.stderr)

    def test_what_cannot_be_read_is_named(self):
        run = self.made()
        whole = (self.folder / "data" / "1.png").read_bytes()
        (self.folder / "cut.png").write_bytes(whole[:60])
        (self.folder / "page.jpg").write_bytes(b"<html>")
        for name, reason in ("cut.png", "cut.png: the PNG image cannot be read"), ("page.jpg", "neither a PNG nor a JPEG nor a WebP"), \
                (".", "is no regular file"), ("none.png", "No such file"):
            self.assertIn(reason, PERRIN("sample", run, "--init", self.folder / name, expect=1).stderr)


class Extreme(Scratch):
    def test_a_picture_of_one_column_is_read_in_little_memory(self):
        # Scaled whole it would be 512 x 10,240,000 pixels.
        Image.new("RGB", (1, 20000), "red").save(self.folder / "data" / "1.png")
        text = (HEAD + SMALL_UNET + TAIL).replace("size = 8", "size = 512").replace("channels = [8]", "channels = [8, 8]")
        file = write(self.folder / "a.toml", text.replace("head_channels = 8", "attention = []"))
        done = subprocess.run(["bash", "-c", 'ulimit -v 8000000; exec "$0" "$@"', PERRIN.binary, "check", file, "--data"],
                              env=PERRIN.environment, capture_output=True, text=True)
        self.assertIn("all 1 samples can be read", done.stdout, done.stderr)


class CheckData(Scratch):
    def setUp(self):
        super().setUp()
        self.file = write(self.folder / "a.toml", HEAD + SMALL_UNET + TAIL)
        data = self.folder / "data"
        for n in range(2, 30):
            ramp("RGB").save(data / f"{n:02}.png")
        whole = (data / "1.png").read_bytes()
        self.bad = {"05.png": whole[:70], "17.png": b"<html></html>", "29.png": b""}

    def spoil(self):
        for name, data in self.bad.items():
            (self.folder / "data" / name).write_bytes(data)

    def test_sound_data_are_said_to_be(self):
        self.assertIn("  all 29 samples can be read\n", PERRIN("check", self.file, "--data").stdout)
        self.assertEqual([], json.loads(PERRIN("check", self.file, "--data", "--json").stdout)["unreadable_samples"])
        self.assertNotIn("unreadable_samples", json.loads(PERRIN("check", self.file, "--json").stdout))

    def test_every_bad_sample_is_listed(self):
        self.spoil()
        done = PERRIN("check", self.file, "--data", expect=1)
        self.assertIn("3 of 29 samples cannot be read:", done.stderr)
        self.assertRegex(done.stderr, r"(?s)sample 3: .*data/05.png: the PNG .*sample 16: .*data/17.png: neither .*sample 28: .*29.png: an empty")
        self.assertEqual("", done.stdout)
        listed = json.loads(PERRIN("check", self.file, "--data", "--json", expect=1).stdout)["unreadable_samples"]
        self.assertEqual([3, 16, 28], [sample["index"] for sample in listed])
        for sample, name in zip(listed, self.bad):
            self.assertIn(f"data/{name}: ", sample["reason"])

    def test_every_dataset_can_be_asked(self):
        text = '[experiment]\nname = "g"\n[dataset]\nuse = "gaussian-mixture"\ncount = 100\n[denoiser]\nuse = "mlp"\nwidth = 8\n[schedule]\nuse = "linear"\n'
        done = PERRIN("check", write(self.folder / "g.toml", text), "--data")
        self.assertIn("  all 100 samples can be read\n", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
