"""Image files of every kind, most written by Pillow, the others by hand: {name: bytes}."""
import io
import struct
import zlib

from PIL import Image, ImageCms

Image.init()


def ramp(size, bands):
    """Every value, in no order that a filter or a transposed axis would keep."""
    width, height = size
    return bytes((x * 37 + y * 91 + c * 53 + x * y % 13 * 17) % 256 for y in range(height) for x in range(width) for c in range(bands))


def picture(mode, size=(23, 17)):
    if mode == "1":
        return picture("L", size).point(lambda v: 255 if v > 99 else 0).convert("1")
    if mode == "P":
        return picture("RGB", size).quantize(20)
    return Image.frombytes(mode, size, ramp(size, len(Image.new(mode, (1, 1)).getbands())))


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png(size, depth, colour, chunks=b"", interlaced=False, rows=None, packed=None, after=b""):
    """Any colour type and depth (PNG 3rd edition), rows unfiltered. `chunks` stand before the data, `after` behind them."""
    width, height = size
    bits = depth * SAMPLES[colour]
    row_bytes = (width * bits + 7) // 8
    whole = ramp((row_bytes, height), 1)
    if colour == 3:
        whole = bytes(v % 16 if depth == 8 else v for v in whole)

    def pixels(y, xs):
        row, value, n = whole[y * row_bytes:(y + 1) * row_bytes], 0, 0
        number = int.from_bytes(row, "big")
        for x in xs:
            value = value << bits | number >> (8 * row_bytes - (x + 1) * bits) & ((1 << bits) - 1)
            n += bits
        return (value << -n % 8).to_bytes((n + 7) // 8, "big")

    data = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        for y in range(y0, height, dy):
            if xs := range(x0, width, dx):
                data += b"\0" + pixels(y, xs)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    packed = packed or zlib.compress(data if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", packed) + after + chunk(b"IEND", b"")


PALETTE = chunk(b"PLTE", ramp((16, 1), 3))


def with_chunk(data, inserted):
    return data[:33] + inserted + data[33:]  # behind IHDR


def tiff(orientation, order=">", kind=3):
    head = b"MM\0*" if order == ">" else b"II*\0"
    entries = [(0x010F, 2, 1, struct.pack(order + "I", 0)),
               (0x0112, kind, 1, struct.pack(order + {1: "B3x", 3: "HH", 4: "I"}[kind], *([orientation, 0] if kind == 3 else [orientation])))]
    body = struct.pack(order + "H", len(entries))
    for tag, type, count, value in entries:
        body += struct.pack(order + "HHI", tag, type, count) + value
    return head + struct.pack(order + "I", 8) + body + struct.pack(order + "I", 0)


def xmp(orientation, element=False):
    said = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if element else ""
    attribute = "" if element else f' tiff:Orientation="{orientation}"'
    return f'<x:xmpmeta><rdf:Description{attribute}>{said}</rdf:Description></x:xmpmeta>'.encode()


def app1(jpeg, payload):
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def riff(*chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def three(n):
    return struct.pack("<I", n)[:3]


def animation(canvas, place, frame, alpha):
    """A WebP whose one frame covers a part of its canvas."""
    bitstream = saved(frame, "WEBP", lossless=True)[12:]
    head = three(place[0] // 2) + three(place[1] // 2) + three(frame.width - 1) + three(frame.height - 1) + three(100) + b"\0"
    flags = 0x02 | (0x10 if alpha else 0)
    return riff((b"VP8X", bytes([flags, 0, 0, 0]) + three(canvas[0] - 1) + three(canvas[1] - 1)),
                (b"ANIM", b"\x10\x20\x30\xff\0\0"), (b"ANMF", head + bitstream), (b"ANMF", head + bitstream))


def pngs():
    for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            for interlaced in (False, True):
                yield f"type{colour}-{depth}bit{'-adam7' * interlaced}.png", png((23, 17), depth, colour, PALETTE * (colour == 3), interlaced)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"pillow-{mode}.png", saved(picture(mode), "PNG")
    yield "one-pixel.png", saved(picture("RGB", (1, 1)), "PNG")
    for size in ((1, 40), (40, 1)):
        yield "thin-%dx%d.png" % size, saved(picture("RGB", size), "PNG")
    # Opacity of palettes and of one value (8 bits; other depths: TheStandardsTransparency).
    yield "palette-trns.png", png((23, 17), 8, 3, PALETTE + chunk(b"tRNS", bytes(range(0, 256, 20))))
    yield "palette-trns-4bit.png", png((23, 17), 4, 3, PALETTE + chunk(b"tRNS", b"\0\x80\xff\x01"))
    yield "palette-trns-adam7.png", png((23, 17), 8, 3, PALETTE + chunk(b"tRNS", bytes(range(0, 256, 20))), interlaced=True)
    yield "grey-trns.png", saved(picture("L"), "PNG", transparency=picture("L").getpixel((0, 0)))
    yield "rgb-trns.png", saved(picture("RGB"), "PNG", transparency=picture("RGB").getpixel((3, 2)))
    yield "short-palette.png", png((23, 17), 8, 3, chunk(b"PLTE", ramp((9, 1), 3)))
    # What says how colours were meant is not applied.
    flat = saved(picture("RGB"), "PNG")
    for gamma in (100000, 45455, 22222):
        yield f"gamma-{gamma}.png", with_chunk(flat, chunk(b"gAMA", struct.pack(">I", gamma)))
    yield "gamma-grey-alpha.png", with_chunk(saved(picture("LA"), "PNG"), chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "gamma-16bit.png", png((23, 17), 16, 2, chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "chromaticities.png", with_chunk(flat, chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)))
    yield "srgb.png", with_chunk(flat, chunk(b"sRGB", b"\0"))
    yield "significant-bits.png", with_chunk(flat, chunk(b"sBIT", b"\5\6\5"))
    yield "background.png", with_chunk(saved(picture("RGBA"), "PNG"), chunk(b"bKGD", b"\0\x10\0\x20\0\x30"))
    for space in ("sRGB", "LAB"):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
        yield f"icc-{space}.png", saved(picture("RGB"), "PNG", icc_profile=profile)
    yield "animated.png", saved(picture("RGB"), "PNG", save_all=True, append_images=[Image.new("RGB", (23, 17), "blue")], duration=9)
    yield "animated-rgba.png", saved(picture("RGBA"), "PNG", save_all=True, append_images=[picture("RGBA").rotate(180)], duration=9)
    yield "trailing.png", flat + b"more"
    yield "no-end.png", flat[:-12]
    yield "long-rows.png", png((2, 1), 8, 0, rows=b"\0\1\2\0\1\2\7")


def jpegs():
    for mode in ("L", "RGB", "CMYK"):
        for progressive in (False, True):
            for quality in (30, 95):
                yield f"{mode}-{quality}{'-progressive' * progressive}.jpg", saved(picture(mode), "JPEG", quality=quality, progressive=progressive)
    for n, sampling in enumerate(("444", "422", "420")):
        for progressive in (False, True):
            yield f"rgb-{sampling}{'-progressive' * progressive}.jpg", saved(picture("RGB"), "JPEG", subsampling=n, progressive=progressive)
    yield "large.jpg", saved(picture("RGB", (301, 203)), "JPEG")
    yield "kept-rgb.jpg", saved(picture("RGB"), "JPEG", keep_rgb=True)
    yield "restarts.jpg", saved(picture("RGB"), "JPEG", restart_marker_blocks=1)
    yield "optimized.jpg", saved(picture("RGB"), "JPEG", optimize=True)
    cmyk = saved(picture("CMYK"), "JPEG")
    adobe = cmyk.index(b"\xff\xeeAdobe"[:2])
    yield "cmyk-without-adobe.jpg", cmyk[:adobe] + cmyk[adobe + 16:]
    yield "ycck.jpg", cmyk[:adobe + 15] + b"\2" + cmyk[adobe + 16:]
    yield "trailing.jpg", saved(picture("RGB"), "JPEG") + b"more"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    yield "icc.jpg", saved(picture("RGB"), "JPEG", icc_profile=profile)


def webps():
    for mode in ("RGB", "RGBA"):
        yield f"{mode}-lossless.webp", saved(picture(mode), "WEBP", lossless=True)
        yield f"{mode}-exact.webp", saved(picture(mode), "WEBP", lossless=True, exact=True)
        for quality in (20, 90):
            yield f"{mode}-{quality}.webp", saved(picture(mode), "WEBP", quality=quality)
        other = Image.new(mode, (23, 17), "blue")
        yield f"{mode}-animated.webp", saved(picture(mode), "WEBP", save_all=True, append_images=[other], duration=9, lossless=True)
        for alpha in (False, True):
            yield f"{mode}-part-{alpha}.webp", animation((23, 17), (4, 6), picture(mode, (12, 9)), alpha)
    yield "large.webp", saved(picture("RGB", (301, 203)), "WEBP")
    yield "trailing.webp", saved(picture("RGB"), "WEBP") + b"more"


def turned():
    flat, grey = picture("RGB"), picture("LA")
    jpeg, webp = saved(flat, "JPEG", subsampling=0), saved(flat, "WEBP", lossless=True)
    for n in range(10):  # 0 and 9 mean nothing
        for order in "<>":
            side = "little" if order == "<" else "big"
            yield f"exif-{n}-{side}.jpg", app1(jpeg, b"Exif\0\0" + tiff(n, order))
            yield f"exif-{n}-{side}.png", with_chunk(saved(flat, "PNG"), chunk(b"eXIf", tiff(n, order)))
            yield f"exif-{n}-{side}.webp", saved(flat, "WEBP", lossless=True, exif=tiff(n, order))
    for n in (3, 6, 8):
        yield f"exif-{n}-pillow.jpg", saved(flat, "JPEG", exif=orientation(n))
        yield f"exif-{n}-grey.jpg", saved(picture("L"), "JPEG", exif=orientation(n))
        yield f"exif-{n}-cmyk.jpg", saved(picture("CMYK"), "JPEG", exif=orientation(n))
        yield f"exif-{n}-grey-alpha.png", saved(grey, "PNG", exif=orientation(n))
        yield f"exif-{n}-palette.png", with_chunk(png((23, 17), 4, 3, PALETTE), chunk(b"eXIf", tiff(n)))
        yield f"exif-{n}-1bit.png", with_chunk(png((23, 17), 1, 0), chunk(b"eXIf", tiff(n)))
        yield f"exif-{n}-16bit.png", with_chunk(png((23, 17), 16, 2), chunk(b"eXIf", tiff(n)))
        yield f"exif-{n}-animated.webp", saved(flat, "WEBP", save_all=True, append_images=[flat.rotate(180)], lossless=True, exif=tiff(n))
        yield f"exif-{n}-alpha.webp", saved(picture("RGBA"), "WEBP", lossless=True, exif=tiff(n))
        yield f"exif-{n}-last.png", png((23, 17), 8, 2, after=chunk(b"eXIf", tiff(n)))
        yield f"exif-{n}-prefixed.webp", saved(flat, "WEBP", lossless=True, exif=b"Exif\0\0" + tiff(n))
        yield f"exif-{n}-long.jpg", app1(jpeg, b"Exif\0\0" + tiff(n, kind=4))
        profile = b"\nexif\n%8d\n" % len(tiff(n)) + tiff(n).hex().encode() + b"\n"
        text = b"Raw profile type exif\0"
        yield f"profile-{n}-text.png", with_chunk(saved(flat, "PNG"), chunk(b"tEXt", text + profile))
        yield f"profile-{n}-packed.png", with_chunk(saved(flat, "PNG"), chunk(b"zTXt", text + b"\0" + zlib.compress(profile)))
        for element in (False, True):
            how = "element" if element else "attribute"
            packet = xmp(n, element)
            yield f"xmp-{n}-{how}.jpg", app1(jpeg, b"http://ns.adobe.com/xap/1.0/\0" + packet)
            yield f"xmp-{n}-{how}.webp", saved(flat, "WEBP", lossless=True, xmp=packet)
            key = b"XML:com.adobe.xmp\0"
            yield f"xmp-{n}-{how}.png", with_chunk(saved(flat, "PNG"), chunk(b"iTXt", key + b"\0\0\0\0" + packet))
            yield f"xmp-{n}-{how}-packed.png", with_chunk(saved(flat, "PNG"), chunk(b"iTXt", key + b"\1\0\0\0" + zlib.compress(packet)))
        yield f"xmp-{n}-exif-first.jpg", app1(app1(jpeg, b"http://ns.adobe.com/xap/1.0/\0" + xmp(n)), b"Exif\0\0" + tiff(2))


def orientation(n):
    exif = Image.Exif()
    exif[0x0112] = n
    return exif


def every():
    return {**dict(pngs()), **dict(jpegs()), **dict(webps()), **dict(turned())}
