"""Makes data/: small images as Pillow writes them, and in expected.txt what Pillow makes of them.

    python golden.py        (Pillow 11.3.0 of tests/python.txt made the committed files)

Each line of expected.txt is one image-folder read: file, size, fit, filter, channels, then the values [C, H, W].
"""
import io
import pathlib
import tarfile

from PIL import Image

DATA = pathlib.Path(__file__).parent / "data"
FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR,
           "box": Image.Resampling.BOX, "nearest": Image.Resampling.NEAREST}


def colour(width, height, mode="RGB"):
    image = Image.new(mode, (width, height))
    for y in range(height):
        for x in range(width):
            value = tuple((y * 7 + x * 13 + c * 29 + x * y % 11 * 9) % 256 for c in range(len(mode)))
            image.putpixel((x, y), value if len(value) > 1 else value[0])
    return image


def grey16(size):
    image = Image.new("I;16", (size, size))
    for y in range(size):
        for x in range(size):
            image.putpixel((x, y), (y * 4099 + x * 9973) % 65536)
    return image


def flattened(image, channels):
    if image.mode == "I;16":  # Pillow clips at 255; the high byte, which it takes of 16-bit colour
        levels = [v >> 8 for v in image.getdata()]
        image = Image.new("L", image.size)
        image.putdata(levels)
    if image.mode in ("P", "LA"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB").convert("L" if channels == 1 else "RGB")


def prepared(image, size, fit, filter):
    if fit == "stretch":
        image = image.resize((size, size), FILTERS[filter])
    elif min(image.size) != size or image.size != (size, size):
        scale = size / min(image.size)
        image = image.resize([max(size, int(side * scale + 0.5)) for side in image.size], FILTERS[filter])
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


def shard(name, format, folder, first):
    """Two samples of an image, a class and a caption, in the given tar format."""
    with tarfile.open(DATA / name, "w", format=format) as tar:
        for i in range(first, first + 2):
            png = io.BytesIO()
            colour(4 + i, 4 + i).save(png, "png")
            for ending, bytes in ("png", png.getvalue()), ("cls", b"%d\n" % (i % 3)), ("txt", b"caption %d" % i):
                member = tarfile.TarInfo(f"{folder}sample-{i}.{ending}")
                member.size = len(bytes)
                tar.addfile(member, io.BytesIO(bytes))


def main():
    DATA.mkdir(exist_ok=True)
    colour(6, 6).save(DATA / "rgb.png")
    colour(6, 6, "RGBA").save(DATA / "rgba.png")
    colour(6, 6, "LA").save(DATA / "grey-alpha.png")
    colour(6, 6).quantize(16).save(DATA / "palette.png")
    grey16(6).save(DATA / "grey16.png")
    colour(16, 16).save(DATA / "rgb.jpg", quality=90)
    colour(16, 16, "L").save(DATA / "grey.jpg", quality=90)
    colour(8, 8).save(DATA / "lossless.webp", lossless=True)
    colour(8, 8).save(DATA / "lossy.webp", quality=80)
    colour(13, 9).save(DATA / "wide.png")
    colour(7, 11, "L").save(DATA / "tall.png")
    shard("a.tar", tarfile.USTAR_FORMAT, "./", 0)
    shard("b.tar", tarfile.GNU_FORMAT, "folder/" + "long-" * 30 + "/", 2)
    shard("c.tar", tarfile.PAX_FORMAT, "folder/" + "long-" * 30 + "/", 4)
    reads = [(f, s, "crop", "lanczos", c) for f, s in (("rgb.png", 6), ("rgba.png", 6), ("grey-alpha.png", 6), ("palette.png", 6),
                                                      ("grey16.png", 6), ("rgb.jpg", 16), ("grey.jpg", 16), ("lossless.webp", 8),
                                                      ("lossy.webp", 8)) for c in (3, 1)]
    reads += [(f, s, fit, filter, 1) for f in ("wide.png", "tall.png") for s in (5, 15) for fit in ("crop", "stretch")
              for filter in FILTERS]
    with open(DATA / "expected.txt", "w") as out:
        for file, size, fit, filter, channels in reads:
            image = prepared(flattened(Image.open(DATA / file), channels), size, fit, filter)
            planes = [list(plane.getdata()) for plane in image.split()]
            print(file, size, fit, filter, channels, *(v for plane in planes for v in plane), file=out)


main()
