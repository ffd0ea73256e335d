"""Files that ask for far more than they are: small ones that claim, unpack to or loop over very much."""
import functools
import json
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, RGBA = 0, 2, 6


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(size):
    """That many zero bytes, deflated: megabyte by megabyte the same, and the end with its checksum (Adler-32)."""
    end = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = end.compress(bytes(size & (1 << 20) - 1)) + end.flush()
    return endless_zeros(size >> 20) + rest + struct.pack(">HH", size % 65521, 1)


@functools.lru_cache(None)
def megabyte_of_zeros():
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head, packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)


def endless_zeros(megabytes):
    """Deflated, without an end: what has been read of them is no reason to stop."""
    head, more = megabyte_of_zeros()
    return head + more * (megabytes - 1) if megabytes else b"\x78\x9c"


def png_rows(width, height, channels, depth):
    return height * (1 + (width * channels * depth + 7) // 8)


def png(width, height, colour=GREY, depth=1, interlaced=False, before=b"", pixels=None):
    channels = {GREY: 1, RGB: 3, RGBA: 4}[colour]
    if pixels is None:
        pixels = zeros(png_rows(width, height, channels, depth) + (4 * height if interlaced else 0))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return SIGNATURE + chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def small_png(before):
    return png(16, 16, RGB, 8, before=before)


def packed_text(kind, head, size):
    return small_png(chunk(kind, head + zeros(size)))


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(data)) + data


def frame(marker, width, height, components=3, sampling=0x11):
    parts = b"".join(bytes([i + 1, sampling if i == 0 else 0x11, 0]) for i in range(components))
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + parts)


def scan(components, first, last, bits, data):
    parts = b"".join(bytes([i, 0]) for i in components)
    return segment(0xDA, bytes([len(components)]) + parts + bytes([first, last, bits])) + data


def one_code(kind, value):
    """A Huffman table in which the bit 0 stands for `value`."""
    return segment(0xC4, bytes([kind, 1]) + bytes(15) + bytes([value]))


QUANTISATION = segment(0xDB, bytes([0]) + bytes([1] * 64))
START, END = b"\xff\xd8", b"\xff\xd9"


def jpeg(*parts, before=b""):
    return START + before + QUANTISATION + b"".join(parts) + END


def long_runs(blocks):
    """Scans of AC coefficients that say of 32,767 blocks at a time that there is nothing in them."""
    bits = "0" + "1" * 14
    text = bits * (-(-blocks // 32767))
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")


def progressive(side, scans, sampling):
    """Of two bits a block, and `scans` more that walk over all of it."""
    blocks = (-(-side // 8)) ** 2
    first = scan([1, 2, 3], 0, 0, 0, bytes(blocks * (6 if sampling == 0x22 else 3) // 8 + blocks // 64))
    more = scan([1], 1, 63, 0, long_runs(blocks))
    return jpeg(frame(0xC2, side, side, sampling=sampling), one_code(0x00, 0), one_code(0x10, 0xE0), first,
                *[more] * scans)


def arithmetic(side, scans):
    return jpeg(frame(0xCA, side, side), scan([1, 2, 3], 0, 0, 0, b""), *[scan([1], 1, 63, 0, b"")] * scans)


def exif(entries, directory, next_directory):
    return b"II*\0" + struct.pack("<IH", directory, entries) + b"\x0e\x01\x02\0\xff\xff\xff\xff\xff\xff\xff\xff" * 3 + \
        struct.pack("<I", next_directory)


def with_exif(data):
    return jpeg(frame(0xC0, 64, 64), one_code(0x00, 0), one_code(0x10, 0), scan([1, 2, 3], 0, 63, 0, bytes(64)),
                before=segment(0xE1, b"Exif\0\0" + data))


def safetensors(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


def photographs():
    """Names and contents."""
    return {
        "long.png": png(64_000_000, 1),
        "high.png": png(1, 64_000_000 // 8),
        "longest.png": png(65535, 1, RGB, 8),
        "highest.png": png(1, 65535, RGB, 8),
        "flat.png": png(65535, 3000),
        "colours16.png": png(9000, 6000, RGBA, 16),
        "interlaced.png": png(12000, 9000, interlaced=True),
        "interlaced16.png": png(13000, 13000, GREY, 16, interlaced=True),
        "interlaced-alpha.png": png(3000, 2000, RGBA, 8, interlaced=True),
        "too-many-interlaced.png": png(65535, 3000, RGBA, 16, interlaced=True, pixels=bytes(2_000_000)),
        "unpacks-to-more.png": png(16, 16, RGB, 8, pixels=zeros(400 << 20)),
        "unpacks-to-gigabytes.png": png(10, 10, RGB, 8, pixels=endless_zeros(6000)),
        "unpacks-to-gigabytes-interlaced.png": png(10, 10, RGBA, 16, interlaced=True, pixels=endless_zeros(6000)),
        "profile.png": packed_text(b"iCCP", b"x\0\0", 400 << 20),
        "text.png": packed_text(b"zTXt", b"Raw profile type exif\0\0", 400 << 20),
        "international.png": packed_text(b"iTXt", b"x\0\1\0\0\0", 400 << 20),
        "chunks.png": small_png(chunk(b"tEXt", b"a\0b") * 500_000),
        "packed-chunks.png": small_png(chunk(b"zTXt", b"a\0\0" + zeros(900_000)) * 3000),
        "claims-4GB.png": SIGNATURE + b"\xff\xff\xff\xffIHDR",
        "huge.jpg": jpeg(frame(0xC0, 65500, 65500)),
        "empty.jpg": jpeg(frame(0xC0, 14000, 14000)),
        "scans.jpg": progressive(64, 600, 0x11),
        "many-pixels-in-scans.jpg": progressive(14000, 30, 0x22),
        "too-many-coefficients.jpg": progressive(14100, 1, 0x11),
        "arithmetic.jpg": jpeg(frame(0xC9, 14000, 14000), scan([1, 2, 3], 0, 63, 0, b"")),
        "arithmetic-scans.jpg": arithmetic(10000, 40),
        "comments.jpg": START + segment(0xFE, b"") * 2_000_000 + END,
        "tables.jpg": START + one_code(0, 0) * 500_000 + QUANTISATION * 100_000 + END,
        "fill.jpg": START + b"\xff" * 30_000_000,
        "exif-loop.jpg": with_exif(exif(3, 8, 8)),
        "exif-lies.jpg": with_exif(exif(0xFFFF, 0xFFFFFFF0, 0)),
        "exif-entries.jpg": with_exif(b"II*\0" + struct.pack("<IH", 8, 5400) + struct.pack("<HHII", 0x8769, 4, 1, 8) * 5400),
        "restarts.jpg": jpeg(segment(0xDD, b"\0\1"), frame(0xC0, 4000, 4000), one_code(0, 0), one_code(0x10, 0),
                             scan([1, 2, 3], 0, 63, 0, b"".join(b"\0\xff" + bytes([0xD0 + i % 8]) for i in range(250_000)))),
        "empty-chunks.png": small_png(b"")[:33] + chunk(b"IDAT", b"") * 2_000_000 + small_png(b"")[33:],
        "exif.png": small_png(chunk(b"eXIf", exif(0xFFFF, 8, 8))),
    }


def models():
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    tensor = {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**64]}
    return {
        "header-of-exabytes": struct.pack("<Q", 2**63),
        "deep-header": safetensors(deep),
        "tensor-of-exabytes": safetensors(json.dumps({"t": tensor}).encode()),
        "many-tensors": safetensors(json.dumps({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                                                for i in range(50_000)}).encode()),
    }
