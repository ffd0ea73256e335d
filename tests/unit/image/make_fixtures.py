#!/usr/bin/env python3
"""Writes fixtures/: small images of every kind, and beside each its pixels as RGB (NAME.rgb: width and height as two
little-endian 16-bit numbers, then the bytes). JPEG pixels are Pillow's; PNG pixels come from the samples that were
written. Needs Pillow and NumPy; run it in this folder."""

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

FOLDER = pathlib.Path(__file__).parent / "fixtures"


def scene(width, height):
    """Colours that change smoothly, with edges: what a photograph is made of."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 128 + 100 * np.sin(x / 5) * np.cos(y / 7)
    green = 255 * x / width
    blue = 255 * y / height
    image = np.stack([red, green, blue], axis=-1)
    image[height // 4 : height // 2, width // 3 : width // 2] = (230, 40, 20)
    image[(x - width * 0.7) ** 2 + (y - height * 0.6) ** 2 < (height / 5) ** 2] = (20, 60, 220)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def write_pixels(name, rgb):
    height, width, _ = rgb.shape
    (FOLDER / f"{name}.rgb").write_bytes(struct.pack("<HH", width, height) + rgb.astype(np.uint8).tobytes())


def write_jpeg(name, data, transpose=False):
    (FOLDER / f"{name}.jpg").write_bytes(data)
    image = Image.open(io.BytesIO(data))
    if transpose:
        image = ImageOps.exif_transpose(image)
    write_pixels(name, np.asarray(image.convert("RGB")))


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=options.pop("quality", 85), **options)
    return stream.getvalue()


def adobe_segment(data):
    start = data.index(b"\xff\xee")
    return start, start + 2 + struct.unpack(">H", data[start + 2 : start + 4])[0]


def make_jpegs():
    image = Image.fromarray(scene(40, 30))
    write_jpeg("baseline_420", jpeg(image, subsampling="4:2:0"))
    write_jpeg("baseline_422", jpeg(image, subsampling="4:2:2"))
    write_jpeg("baseline_444", jpeg(image, subsampling="4:4:4"))
    write_jpeg("odd_size", jpeg(Image.fromarray(scene(37, 23)), subsampling="4:2:0"))
    write_jpeg("restart", jpeg(image, restart_marker_rows=1))
    write_jpeg("progressive", jpeg(image, progressive=True))
    write_jpeg("rgb", jpeg(image, keep_rgb=True))
    write_jpeg("grey", jpeg(image.convert("L")))
    write_jpeg("grey_progressive", jpeg(image.convert("L"), progressive=True))
    cmyk_samples = np.dstack([255 - scene(24, 18), np.tile(np.arange(24, dtype=np.uint8) * 5, (18, 1))])
    cmyk = jpeg(Image.fromarray(cmyk_samples, "CMYK"), quality=95)
    write_jpeg("cmyk", cmyk)
    start, end = adobe_segment(cmyk)
    write_jpeg("cmyk_unmarked", cmyk[:start] + cmyk[end:])
    write_jpeg("ycck", cmyk[: end - 1] + b"\x02" + cmyk[end:])  # the transform that Adobe's marker names
    before_end = jpeg(image)
    scan = before_end.index(b"\xff\xda")
    write_jpeg("stray_bytes", before_end[:scan] + b"\x00\x11\x22\x33" + before_end[scan:])
    write_jpeg("trailing_bytes", before_end + b"something else" * 20)
    upright = Image.fromarray(scene(24, 16))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "maker"
        exif[0x0112] = orientation
        write_jpeg(f"orientation_{orientation}", jpeg(upright, exif=exif), transpose=True)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """Rows of samples, H×W×C, each behind the filter type (none)."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        elif depth == 8:
            data = flat.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in flat)
            bits += "0" * (-len(bits) % 8)
            data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        rows += b"\0" + data
    return rows


def png(samples, colour_type, depth, interlaced=False, before=b"", behind=b""):
    height, width, _ = samples.shape
    if interlaced:
        parts = [samples[y::step_y, x::step_x] for x, y, step_x, step_y in ADAM7]
        data = b"".join(packed_rows(part, depth) for part in parts if part.size)
    else:
        data = packed_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(data, 9))
        + behind
        + chunk(b"IEND", b"")
    )


def over_white(rgb, alpha):
    rgb, alpha = rgb.astype(int), alpha.astype(int)
    return (rgb * alpha + 255 * (255 - alpha) + 127) // 255


def to_eight_bits(samples, depth):
    return (samples.astype(int) * 255 * 2 + (2**depth - 1)) // (2 * (2**depth - 1))


def write_png(name, pixels, check=False, **png_arguments):
    data = png(**png_arguments)
    (FOLDER / f"{name}.png").write_bytes(data)
    write_pixels(name, pixels)
    if check:
        assert (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) == pixels).all(), name


def make_grey_pngs(width, height):
    ramp = np.arange(width * height).reshape(height, width, 1)
    for depth in (1, 2, 4, 8, 16):
        samples = ramp * 151 % 2**depth
        pixels = np.repeat(to_eight_bits(samples, depth), 3, axis=2)
        write_png(f"grey{depth}", pixels, check=depth < 16, samples=samples, colour_type=0, depth=depth)
        if depth in (1, 8):
            write_png(f"grey{depth}_interlaced", pixels, samples=samples, colour_type=0, depth=depth, interlaced=True)
        key = int(samples[3, 4, 0])
        keyed = np.where(samples == key, 255, pixels)
        write_png(f"grey{depth}_key", keyed, samples=samples, colour_type=0, depth=depth,
                  before=chunk(b"tRNS", struct.pack(">H", key)))
    alpha = ramp * 7 % 256
    for depth in (8, 16):
        grey = ramp * (31 if depth == 8 else 1031) % 2**depth
        samples = np.dstack([grey, alpha * (1 if depth == 8 else 257)])
        pixels = over_white(np.repeat(to_eight_bits(grey, depth), 3, axis=2), alpha)
        write_png(f"grey_alpha{depth}", pixels, samples=samples, colour_type=4, depth=depth)


def make_colour_pngs(width, height):
    rgb = scene(width, height)
    ramp = np.arange(width * height).reshape(height, width, 1)
    wide = (rgb.astype(int) * 257 + ramp * 37) % 65536
    write_png("rgb8", rgb, check=True, samples=rgb, colour_type=2, depth=8)
    write_png("rgb8_interlaced", rgb, check=True, samples=rgb, colour_type=2, depth=8, interlaced=True)
    write_png("rgb16", to_eight_bits(wide, 16), samples=wide, colour_type=2, depth=16)
    key = rgb[2, 3].astype(int)
    keyed = np.where((rgb == key).all(axis=2, keepdims=True), 255, rgb)
    write_png("rgb8_key", keyed, samples=rgb, colour_type=2, depth=8, before=chunk(b"tRNS", struct.pack(">HHH", *key)))
    alpha = ramp * 11 % 256
    write_png("rgba8", over_white(rgb, alpha), samples=np.dstack([rgb, alpha]), colour_type=6, depth=8)
    write_png("rgba8_interlaced", over_white(rgb, alpha), samples=np.dstack([rgb, alpha]), colour_type=6, depth=8,
              interlaced=True)
    write_png("rgba16", over_white(to_eight_bits(wide, 16), alpha), samples=np.dstack([wide, alpha * 257]),
              colour_type=6, depth=16)
    exif = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    write_png("exif", np.rot90(rgb, -1), samples=rgb, colour_type=2, depth=8, before=chunk(b"eXIf", exif))
    write_png("exif_behind", np.rot90(rgb, -1), samples=rgb, colour_type=2, depth=8, behind=chunk(b"eXIf", exif))
    make_text_exif_pngs(rgb, exif)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    write_png("profile", rgb, check=True, samples=rgb, colour_type=2, depth=8, before=gamma + profile)


def make_text_exif_pngs(rgb, exif):
    """EXIF as ImageMagick puts it in text: a name, the number of bytes, and these in hexadecimal."""
    def profile(name, data):
        lines = "".join(data.hex()[i : i + 72] + "\n" for i in range(0, 2 * len(data), 72))
        return f"\n{name}\n{len(data):8}\n{lines}".encode()

    exif += bytes(60)  # so that it takes several lines
    text = chunk(b"tEXt", b"Raw profile type exif\0" + profile("exif", b"Exif\0\0" + exif))
    packed = chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(profile("APP1", exif)))
    write_png("exif_text", np.rot90(rgb, -1), samples=rgb, colour_type=2, depth=8, before=text)
    write_png("exif_packed_text", np.rot90(rgb, -1), samples=rgb, colour_type=2, depth=8, before=packed)
    image = ImageOps.exif_transpose(Image.open(FOLDER / "exif_text.png"))
    assert (np.asarray(image) == np.rot90(rgb, -1)).all()


def make_palette_pngs(width, height):
    ramp = np.arange(width * height).reshape(height, width, 1)
    for depth in (1, 2, 4, 8):
        colours = 2**depth if depth < 8 else 200
        table = np.stack([np.arange(colours) * 83 % 256, np.arange(colours) * 29 % 256, 255 - np.arange(colours)], 1)
        samples = ramp * 3 % colours
        pixels = table[samples[..., 0]]
        palette = chunk(b"PLTE", table.astype(np.uint8).tobytes())
        write_png(f"palette{depth}", pixels, check=True, samples=samples, colour_type=3, depth=depth, before=palette)
        write_png(f"palette{depth}_interlaced", pixels, samples=samples, colour_type=3, depth=depth, before=palette,
                  interlaced=True)
        alpha = np.arange(colours // 2) * 50 % 256
        opacity = np.full(colours, 255)
        opacity[: len(alpha)] = alpha
        blended = over_white(pixels, opacity[samples])
        write_png(f"palette{depth}_alpha", blended, samples=samples, colour_type=3, depth=depth,
                  before=palette + chunk(b"tRNS", alpha.astype(np.uint8).tobytes()))


RESIZES = [
    ("half", (20, 15), None),
    ("odd", (33, 17), None),
    ("tiny", (7, 5), None),
    ("one", (1, 1), None),
    ("larger", (64, 48), None),
    ("wide", (60, 11), None),
    ("crop", (18, 18), (5, 0, 35, 30)),
]


def make_resizes():
    image = Image.fromarray(scene(40, 30))
    write_pixels("resize_source", np.asarray(image))
    for name, size, box in RESIZES:
        write_pixels(f"resize_{name}", np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=box)))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    make_jpegs()
    make_grey_pngs(17, 11)
    make_colour_pngs(18, 13)
    make_palette_pngs(19, 9)
    make_resizes()
