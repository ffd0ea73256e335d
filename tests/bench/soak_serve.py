#!/usr/bin/env python3
"""Holds `catdog serve` between good and bad clients, and looks whether the good ones notice.

Usage: soak_serve.py CATDOG [--minutes 10 | --seconds N] [--good 32] [--bad 32] [--model FILE]
                     [--ends 3] [--seed N] [--slack 0]

Good clients send the sample photographs and compare each answer with that of `catdog predict`. For a quarter of the time
they are alone; then bad ones come, each of which draws what it does next: slowly sent heads and bodies, half requests,
resets, decompression bombs, garbage, huge heads, wrong lengths, broken forms, and clients that go away before their
answer. In the end, and for --ends servers more after a moment of the same, SIGTERM comes. All of it stays on this
machine. Prints a JSON object; the exit status is 1 if something is not as it should be.
"""
import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

from given import positive, positive_number, program
from programs import output_of, run_script, start

SAMPLE = Path(__file__).parents[2] / "examples/catdog/sample/test"
PATIENCE = 60


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("catdog", type=program)
    parser.add_argument("--minutes", type=positive_number, default=10)
    parser.add_argument("--seconds", type=positive_number)
    parser.add_argument("--good", type=positive, default=32)
    parser.add_argument("--bad", type=int, default=32)
    parser.add_argument("--model")
    parser.add_argument("--ends", type=int, default=3)
    parser.add_argument("--slack", type=float, default=0, help="milliseconds added to what good clients may wait")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    args.seconds = args.seconds or 60 * args.minutes
    return args


def options(args):
    return ["--model", args.model] if args.model else []


class Server:
    def __init__(self, args):
        self.process = start([args.catdog, "serve", "--port", "0", *options(args)], stdout=subprocess.PIPE)
        found = re.search(rb":(\d+)/", self.process.stdout.readline())
        if not found:
            self.process.kill()
            sys.exit(f"{args.catdog} serve doesn't start")
        self.port = int(found.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()

    def resident(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    async def end(self):
        """Seconds until it has ended after SIGTERM, and its exit status."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and time.perf_counter() - began < PATIENCE:
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - began
        if self.process.poll() is None:
            self.process.kill()
        return round(seconds, 2), self.process.wait()


def head(length, kind="image/jpeg", more=""):
    return f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n" \
           f"Content-Length: {length}\r\n{more}\r\n".encode()


def png_bomb(side, interlaced):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    packer = zlib.compressobj(1)
    row = bytes(1 + 3 * side)
    pixels = b"".join([packer.compress(row) for _ in range(side * (1 + interlaced))] + [packer.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, interlaced)) + \
        chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def form(*files, end=b"--XB--\r\n"):
    parts = [b'--XB\r\nContent-Disposition: form-data; name=a; filename="a.jpg"\r\n\r\n' + file + b"\r\n" for file in files]
    return b"".join(parts) + end


class Soak:
    def __init__(self, args):
        self.args = args
        self.files = sorted(SAMPLE.rglob("*.jpg"))
        self.photographs = [file.read_bytes() for file in self.files]
        self.expected = self.predict()
        self.bombs = [png_bomb(1500, 0), png_bomb(3000, 1), png_bomb(6000, 0), png_bomb(7900, 0)]
        self.latencies, self.wrong, self.refused, self.done = [], [], 0, {}

    def predict(self):
        out = output_of([self.args.catdog, "predict", *options(self.args), "--json", *self.files])
        answers = json.loads(out) if out.lstrip().startswith("[") else [json.loads(line) for line in out.splitlines()]
        return [(answer["label"], answer["confidence"]) for answer in answers]

    # Good clients

    async def good(self, port, until):
        draw = random.Random(f"{self.args.seed} {id(self)} {len(self.latencies)}")
        reader = writer = None
        while time.perf_counter() < until():
            which = draw.sample(range(len(self.files)), draw.choice((1, 1, 1, 3)))
            began = time.perf_counter()
            while True:
                try:
                    if not writer:
                        reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    code, answer = await self.ask(reader, writer, which)
                except (OSError, asyncio.IncompleteReadError):
                    if time.perf_counter() > until():
                        return
                    if writer:
                        writer.close()
                    elif time.perf_counter() - began > PATIENCE:
                        self.wrong.append("no connection")
                        return
                    writer = None  # an idle connection may be closed at any time; the request is sent again
                    continue
                if code != 503:
                    break
                self.refused += 1
                await asyncio.sleep(0.05)
            self.latencies.append((began, time.perf_counter() - began))
            self.compare(which, code, answer)
        if writer:
            writer.close()

    async def ask(self, reader, writer, which):
        photographs = [self.photographs[i] for i in which]
        if len(which) == 1:
            writer.write(head(len(photographs[0])) + photographs[0])
        else:
            body = form(*photographs)
            writer.write(head(len(body), "multipart/form-data; boundary=XB") + body)
        await writer.drain()
        lines = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", lines).group(1))
        return int(lines[9:12]), json.loads(await reader.readexactly(length))

    def compare(self, which, code, answer):
        expected = [self.expected[i] for i in which]
        found = [(one.get("label"), one.get("confidence", 0)) for one in answer.get("predictions", [])]
        same = len(found) == len(expected) and all(
            a[0] == b[0] and abs(a[1] - b[1]) < 1e-4 for a, b in zip(found, expected))
        if code != 200 or not same:
            self.wrong.append(f"{code} {found} instead of {expected}")

    # Bad clients: each method is one thing that they do.

    async def bad(self, number, port, until):
        draw = random.Random(f"{self.args.seed} bad {number}")
        deeds = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("does_")]
        while time.perf_counter() < until():
            deed = draw.choice(deeds)
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    await asyncio.wait_for(deed(draw, reader, writer), 8)
                finally:
                    writer.transport.abort() if draw.random() < 0.5 else writer.close()
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.LimitOverrunError):
                await asyncio.sleep(0.01)
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1

    async def drip(self, writer, data, pause=0.2):
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    async def does_slow_heads(self, draw, reader, writer):
        await self.drip(writer, head(1000) * 10)

    async def does_slow_bodies(self, draw, reader, writer):
        writer.write(head(100000))
        await self.drip(writer, self.photographs[0])

    async def does_half_requests(self, draw, reader, writer):
        data = head(len(self.photographs[0])) + self.photographs[0]
        writer.write(data[:draw.randrange(len(data))])
        await writer.drain()
        await asyncio.sleep(draw.random() * 3)

    async def does_resets(self, draw, reader, writer):
        for _ in range(3):
            writer.write(head(len(self.photographs[0])) + self.photographs[0][:draw.randrange(5000)])
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def does_bombs(self, draw, reader, writer):
        body = form(*draw.choices(self.bombs, k=draw.choice((1, 2, 8))))
        writer.write(head(len(body), "multipart/form-data; boundary=XB") + body)
        await reader.readuntil(b"\r\n\r\n")

    async def does_garbage(self, draw, reader, writer):
        writer.write(draw.randbytes(draw.choice((10, 1000, 200000))))
        await reader.read(1000)

    async def does_huge_heads(self, draw, reader, writer):
        writer.write(b"GET /" + b"x" * draw.choice((1000, 100000)) + b" HTTP/1.1\r\nHost: localhost\r\n" +
                     b"X-Y: z\r\n" * draw.choice((100, 20000)) + b"\r\n")
        await reader.read(1000)

    async def does_wrong_lengths(self, draw, reader, writer):
        body = self.photographs[0]
        writer.write(head(draw.choice((-1, 1, len(body) // 2, len(body) + 1, 10**9, 10**30))) + body)
        await writer.drain()
        await asyncio.wait_for(reader.read(1000), 2)

    async def does_doubtful_heads(self, draw, reader, writer):
        more = draw.choice(("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: evil\r\n", "X: a\r\n b\r\n",
                            "Origin: https://evil.example\r\n", "Expect: 100-continue\r\n", "A\0: b\r\n"))
        writer.write(head(len(self.photographs[0]), more=more) + self.photographs[0])
        await asyncio.wait_for(reader.read(1000), 2)

    async def does_broken_forms(self, draw, reader, writer):
        data = bytearray(form(*self.photographs[:2], end=draw.choice((b"", b"--XB--", b"--XB"))))
        for _ in range(draw.randrange(20)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        data = bytes(data) + b"-" * draw.choice((0, 5_000_000))
        writer.write(head(len(data), "multipart/form-data; boundary=XB") + data)
        await reader.readuntil(b"\r\n\r\n")

    async def does_leave(self, draw, reader, writer):
        body = form(*draw.choices(self.photographs, k=20))
        writer.write(head(len(body), "multipart/form-data; boundary=XB") + body)
        await writer.drain()

    async def does_nothing(self, draw, reader, writer):
        await asyncio.sleep(draw.random() * 8)

    async def does_not_take(self, draw, reader, writer):
        """Asks again and again, and reads nothing."""
        for _ in range(2000):
            writer.write(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await writer.drain()

    # Rounds

    def start(self, server, until, bad_from):
        async def later(number):
            await asyncio.sleep(max(0, bad_from - time.perf_counter()))
            await self.bad(number, server.port, until)
        return [asyncio.create_task(self.good(server.port, until)) for _ in range(self.args.good)] + \
            [asyncio.create_task(later(number)) for number in range(self.args.bad)]

    async def watch(self, server, until):
        memory = []
        while time.perf_counter() < until:
            memory.append((time.perf_counter(), server.resident()))
            await asyncio.sleep(0.2)
        return memory

    async def run(self):
        with Server(self.args) as server:
            began = time.perf_counter()
            last = [began + self.args.seconds]
            bad_from = began + self.args.seconds / 4
            tasks = self.start(server, lambda: last[0], bad_from)
            memory = await self.watch(server, last[0] - 0.5)
            last[0] = 0
            ends = [await server.end()]
            await self.stop(tasks)
        figures = self.figures(began, bad_from, memory)
        for _ in range(self.args.ends):
            ends.append(await self.end_once())
        return {**figures, "ends": ends}

    async def end_once(self):
        with Server(self.args) as server:
            last = [time.perf_counter() + PATIENCE]
            tasks = self.start(server, lambda: last[0], 0)
            await asyncio.sleep(random.Random(self.args.seed + len(self.latencies)).random() * 2)
            last[0] = 0
            end = await server.end()
            await self.stop(tasks)
        return end

    async def stop(self, tasks):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def figures(self, began, bad_from, memory):
        warm = began + min(3, (bad_from - began) / 3)
        alone = sorted(took for at, took in self.latencies if warm < at and at + took < bad_from)
        crowded = sorted(took for at, took in self.latencies if at > bad_from)
        middle = (bad_from + memory[-1][0]) / 2

        def p99(values):
            return round(1000 * values[min(len(values) - 1, int(0.99 * len(values)))], 1) if values else None
        return {
            "good": {"alone": len(alone), "with_bad": len(crowded), "p99_alone_ms": p99(alone),
                     "p99_with_bad_ms": p99(crowded), "told_to_try_again": self.refused, "wrong": self.wrong[:5],
                     "wrong_count": len(self.wrong)},
            "bad": dict(sorted(self.done.items())),
            "memory_mb": {"alone": most(memory, 0, bad_from), "first_half_with_bad": most(memory, bad_from, middle),
                          "second_half_with_bad": most(memory, middle, float("inf"))},
        }


def most(memory, start, end):
    return round(max((size for at, size in memory if start <= at < end), default=0), 1)


def faults(result, slack):
    good, memory = result["good"], result["memory_mb"]
    room = 8 if result["seconds"] >= 60 else 64  # what large requests hold at a moment, of which a short run meets few
    found = [f"{good['wrong_count']} wrong answers"] if good["wrong_count"] else []
    if not good["p99_alone_ms"] or not good["p99_with_bad_ms"]:
        found.append("too few requests")
    elif good["p99_with_bad_ms"] > 2 * good["p99_alone_ms"] + slack:
        found.append("good clients are held up")
    if memory["second_half_with_bad"] > 1.15 * memory["first_half_with_bad"] + room:
        found.append("memory grows")
    if any(seconds > 10 or status for seconds, status in result["ends"]):
        found.append("an end took too long, or failed")
    return found


def main():
    args = arguments()
    result = asyncio.run(Soak(args).run())
    result = {"seed": args.seed, "seconds": args.seconds, **result}
    result["faults"] = faults(result, args.slack)
    print(json.dumps(result, indent=2))
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    run_script(main)
