"""Archives, lists, folders, nets, models and requests that are small, or simple to make, and ask for very much."""
import json
import os
import struct
import zlib

import bombs

JPEG = bombs.with_exif(bombs.exif(1, 8, 0))
LOCAL, CENTRAL, END = "<4sHHHHHIIIHH", "<4sHHHHHHIIIHHHHHII", "<4sHHHHIIH"


def entry(name, packed, size, crc, place, method=0, more=b"", directory=True):
    """A zip entry's head, for the directory or for its place."""
    if directory:
        return struct.pack(CENTRAL, b"PK\1\2", 45, 45, 0, method, 0, 0, crc, packed, size, len(name), len(more), 0, 0, 0, 0,
                           place) + name + more
    return struct.pack(LOCAL, b"PK\3\4", 45, 0, method, 0, 0, crc, packed, size, len(name), len(more)) + name + more


def archive(body, directory, count):
    return body + directory + struct.pack(END, b"PK\5\6", 0, 0, min(count, 0xffff), min(count, 0xffff), len(directory),
                                          len(body), 0)


def archive64(body, directory, count, size=None):
    """With a directory's end for numbers of 64 bits, which may claim any."""
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size or len(directory), len(body))
    finder = struct.pack("<4sIQI", b"PK\6\7", 0, len(body) + len(directory), 1)
    return body + directory + end + finder + struct.pack(END, b"PK\5\6", 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)


def stored(count, data, method=0, size=None, crc=None, shared=False):
    """Entries in two folders, all of the same content; `shared`: in the same place."""
    body, directory = [], []
    at = 0
    crc, size = zlib.crc32(data) if crc is None else crc, len(data) if size is None else size
    for i in range(count):
        name = b"%s/%d.jpg" % (b"ab"[i % 2:i % 2 + 1], i if not shared else i % 2)
        place = at
        if not shared or not i:
            body.append(entry(name, len(data), size, crc, 0, method, directory=False) + data)
            at += len(body[-1])
        directory.append(entry(b"%s/%d.jpg" % (b"ab"[i % 2:i % 2 + 1], i), len(data), size, crc, 0 if shared else place,
                               method))
    return b"".join(body), b"".join(directory), count


def deflated_zeros(megabytes):
    return bombs.endless_zeros(megabytes)[2:] + b"\3\0"  # without zlib's head, with an end


def archives():
    sizes = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    large = entry(b"a/1.jpg", 0xffffffff, 0xffffffff, 0, 0, more=sizes)
    return {
        "one-place.zip": archive(*stored(15_000, JPEG, shared=True)),
        "gigabyte-of-zeros.zip": archive(*stored(2, deflated_zeros(1024), 8, 1 << 30, 0)),
        "zeros-that-lie.zip": archive(*stored(2, deflated_zeros(1024), 8, 100, 0)),
        "many-zeros.zip": archive(*stored(100, deflated_zeros(60), 8, 60 << 20, 0)),
        "many-entries.zip": archive64(*stored(50_000, b"")),
        "entries-claimed.zip": archive64(*stored(2, JPEG)[:2], 1 << 60),
        "directory-claimed.zip": archive64(*stored(2, JPEG), size=1 << 61),
        "sizes-of-exabytes.zip": archive64(entry(b"a/1.jpg", 9, 9, 0, 0, directory=False), large, 1),
        "long-names.zip": archive(b"", b"".join(entry(b"a/" * 32000 + b"%d.jpg" % i, 0, 0, 0, 0) for i in range(400)) +
                                  entry(b"b/1.jpg", 0, 0, 0, 0), 401),
    }


def lists():
    return {
        "one-line.csv": b"path,label\n" + b"x" * (20 << 20),
        "columns.csv": b",".join([b"c"] * 500_000) + b"\n1\n",
        "missing.csv": b"path,label\n" + b"".join(b"n/%d.jpg,%s\n" % (i, b"ab"[i % 2:i % 2 + 1]) for i in range(100_000)),
        "classes.csv": b"path,label\n" + b"".join(b"n/%d.jpg,c%d\n" % (i, i) for i in range(50_000)),
        "quote.csv": b'path,label\n"' + b'""' * 5_000_000,
    }


def make_folders(root):
    """Deep ones, many, and links that lead back."""
    deep = root / "deep"
    deep.mkdir(parents=True)
    inner = deep
    for _ in range(400):
        inner = inner / "d"
        os.mkdir(inner)
    (inner / "1.jpg").write_bytes(JPEG)
    many = root / "many"
    many.mkdir()
    for i in range(1200):
        (many / f"c{i}").mkdir()
        (many / f"c{i}" / "1.jpg").write_bytes(JPEG)
    loops = root / "loops"
    for name in "ab":
        (loops / name).mkdir(parents=True)
        (loops / name / "1.jpg").write_bytes(JPEG)
        for i in range(20):
            (loops / name / f"l{i}").symlink_to("..")
    return [deep, many, loops]


def net(*layers):
    return json.dumps({"layers": [{"name": "x", "type": "input", "shape": [8, 8, 3]}, *layers]}).encode()


def nets():
    doubling = [{"name": f"c{i}", "type": "concat", "inputs": [f"c{i - 1}" if i else "x"] * 2} for i in range(60)]
    return {
        "doubling.json": net(*doubling),
        "layers.json": net(*[{"type": "relu"}] * 1_000_000),
        "deep.json": b"[" * 5_000_000,
        "wide.json": net({"type": "conv2d", "filters": 2**31 - 1, "kernel": [4096, 4096], "padding": "same"}),
        "numbers.json": net({"type": "dense", "units": 1}) + b"0" * 20_000_000,
    }


def field(number, value):
    """A field of a protobuf message: of bytes, or a whole number."""
    def varint(n):
        out = bytearray()
        while n > 127:
            out.append(n & 127 | 128)
            n >>= 7
        return bytes(out) + bytes([n])
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_tensor(name, kind, dims, data):
    return b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + data


def onnx_node(kind, inputs, output, attributes=b""):
    return field(1, b"".join(field(1, i) for i in inputs) + field(2, output) + field(4, kind) + attributes)


def onnx_value(name, dims):
    shape = b"".join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def onnx(nodes, tensors=(), output=b"y"):
    graph = b"".join(nodes) + b"".join(field(5, t) for t in tensors) + field(11, onnx_value(b"x", [1, 3, 8, 8])) + \
        field(12, onnx_value(output, [1, 2]))
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def int64s(*values):
    return field(9, struct.pack(f"<{len(values)}q", *values))


def onnx_files():
    shape = onnx_tensor(b"s", 7, [2], int64s(2**31, 2**31))
    one = onnx_tensor(b"c0", 7, [1], int64s(1))
    axis = field(5, field(1, b"axis") + field(3, 0) + field(20, 2))
    doubling = [onnx_node(b"Concat", [b"c%d" % i] * 2, b"c%d" % (i + 1), axis) for i in range(60)]
    external = [onnx_tensor(b"w%d" % i, 1, [2**13, 2**10], field(14, 1) + b"".join(
        field(13, field(1, key) + field(2, value)) for key, value in ((b"location", b"weights.bin"), (b"offset", b"0"))))
        for i in range(100)]
    return {
        "constant-of-exabytes.onnx": onnx([onnx_node(b"ConstantOfShape", [b"s"], b"y")], [shape]),
        "doubling.onnx": onnx(doubling, [one]),
        "nodes.onnx": onnx([onnx_node(b"Relu", [b"x"], b"y")] * 1_000_000),
        "empty-messages.onnx": onnx([field(1, b"")] * 5_000_000),
        "external.onnx": onnx([onnx_node(b"Relu", [b"x"], b"y")], external),
    }


def quantised_header(content):
    """An int8 model of which each array claims to be as large as can be."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    for name, array in header.items():
        if name != "__metadata__":
            array["shape"] = [2**31] * len(array["shape"])
    return bombs.safetensors(json.dumps(header).encode(), content[8 + length:])


def requests():
    """What is sent to the server, and comes with no end to it."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    boundary = b"Content-Type: multipart/form-data; boundary=B\r\n"
    parts = b"--B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.jpg\"\r\n\r\n\r\n" * 100_000
    almost = b"\r\n--" * 2_000_000
    long_head = b"--B\r\n" + b"X: y\r\n" * 1_000_000
    return {
        "headers": head + b"".join(b"X-%d: y\r\n" % i for i in range(200_000)) + b"\r\n",
        "one header": head + b"X: " + b"y" * 10_000_000,
        "parameters": b"GET /?" + b"a&" * 2_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "chunks": head + b"Transfer-Encoding: chunked\r\nContent-Type: image/jpeg\r\n\r\n" + b"1\r\nx\r\n" * 500_000 +
        b"0\r\n\r\n",
        "parts": head + boundary + b"Content-Length: %d\r\n\r\n" % len(parts) + parts,
        "almost boundaries": head + boundary + b"Content-Length: %d\r\n\r\n" % len(almost) + almost,
        "a part's head": head + boundary + b"Content-Length: %d\r\n\r\n" % len(long_head) + long_head,
    }
