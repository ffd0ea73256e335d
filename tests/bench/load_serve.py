#!/usr/bin/env python3
"""Measures `catdog serve` under load against the library alone: the same photographs, the same model, one machine.

Usage: load_serve.py CATDOG FOLDER [--model FILE] [--clients 32] [--seconds 60] [--rounds 1] [--threads N]

FOLDER holds JPEG files. The library's figure is that of `catdog predict` on them: the time for twice as many less the
time for once as many, so that starting and loading don't count. Each client sends one photograph in a request, over one
connection, and the next when it has its answer. Prints a JSON object; the exit status is 1 if there was an error.
"""
import argparse
import asyncio
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from given import positive, positive_number, program
from programs import output_of, run_script, start


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("catdog", type=program)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--clients", type=positive, default=32)
    parser.add_argument("--seconds", type=positive_number, default=60)
    parser.add_argument("--rounds", type=positive, default=1, help="of library and server in turn; the best of each counts")
    parser.add_argument("--threads", type=positive)
    parser.add_argument("--path", default="/v1/predict")
    return parser.parse_args()


def options(args):
    return (["--model", args.model] if args.model else []) + (["--threads", str(args.threads)] if args.threads else [])


def predict(args, files):
    """Seconds by the clock, and of processors."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    output_of([args.catdog, "predict", *options(args), "--csv", *files])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def library_figures(args, files):
    """From some seconds of work."""
    few = list(itertools.islice(itertools.cycle(files), 256))
    count = max(256, int(256 * 3 / predict(args, few)[0]) // 32 * 32)
    some = list(itertools.islice(itertools.cycle(files), count))
    (once, once_cpu), (twice, twice_cpu) = predict(args, some), predict(args, some + some)
    return {"photographs_per_second": round(count / (twice - once), 1),
            "cpu_ms_per_photograph": round(1000 * (twice_cpu - once_cpu) / count, 2)}


class Server:
    def __init__(self, args):
        self.process = start([args.catdog, "serve", "--port", "0", *options(args)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.kill()
            sys.exit(f"{args.catdog} serve doesn't start")
        self.port = int(line.split("http://")[1].split("/")[0].rsplit(":", 1)[1])

    def resident_megabytes(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


async def client(port, requests, until, results):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(next(requests))
        await writer.drain()
        code, body = await read_answer(reader)
        end = time.perf_counter()
        results.append((end, end - start, code == 200 and b'"label"' in body))
    writer.close()


async def load(args, server, requests, seconds, results, memory):
    until = time.perf_counter() + seconds
    clients = [asyncio.create_task(client(server.port, requests, until, results)) for _ in range(args.clients)]
    while time.perf_counter() < until and not all(task.done() for task in clients):
        memory.append(server.resident_megabytes())
        await asyncio.sleep(1)
    broken = [error for error in await asyncio.gather(*clients, return_exceptions=True) if error]
    results.extend((time.perf_counter(), 0.0, False) for _ in broken)


def as_request(args, port, file):
    data = Path(file).read_bytes()
    head = f"POST {args.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/jpeg\r\n" \
           f"Content-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def percentile(values, part):
    return values[min(len(values) - 1, int(part * len(values)))]


def serve_figures(args, files):
    server = Server(args)
    try:
        requests = itertools.cycle([as_request(args, server.port, file) for file in files])
        asyncio.run(load(args, server, requests, min(3, args.seconds), [], []))  # warm-up
        results, memory = [], []
        cpu, own = server.cpu_seconds(), resource.getrusage(resource.RUSAGE_SELF)
        start = time.perf_counter()
        asyncio.run(load(args, server, requests, args.seconds, results, memory))
        wall = max(end for end, _, _ in results) - start
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = server.cpu_seconds() - cpu
    finally:
        status = server.stop()
    latencies = sorted(latency for _, latency, good in results if good) or [0.0]
    errors = sum(not good for _, _, good in results) + (status != 0)
    return {
        "requests": len(results),
        "errors": errors,
        "photographs_per_second": round(len(latencies) / wall, 1),
        "latency_ms": {name: round(1000 * percentile(latencies, part), 1)
                       for name, part in (("p50", .5), ("p90", .9), ("p99", .99), ("most", 1))},
        "memory_mb": {"start": round(memory[0], 1), "middle": round(memory[len(memory) // 2], 1),
                      "end": round(memory[-1], 1)},
        "cpu_ms_per_photograph": round(1000 * cpu / max(1, len(latencies)), 2),
        "client_cpu_ms_per_photograph": round(1000 * (after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime) /
                                              max(1, len(results)), 2),
    }


def better(best, figures):
    """The faster; one with errors before all."""
    if best is None or figures.get("errors"):
        return figures
    return max(best, figures, key=lambda one: one["photographs_per_second"])


def main():
    args = arguments()
    files = sorted(str(path) for path in args.folder.rglob("*.jp*g"))[:500]
    if not files:
        sys.exit(f"{args.folder} holds no JPEG files")
    library, server = None, None
    for _ in range(args.rounds):
        library = better(library, library_figures(args, files))
        server = better(server, serve_figures(args, files))
        if server["errors"]:
            break
    print(json.dumps({"clients": args.clients, "seconds": args.seconds, "files": len(files), "library": library,
                      "server": server,
                      "ratio": round(server["photographs_per_second"] / library["photographs_per_second"], 3)}, indent=2))
    return 1 if server["errors"] else 0


if __name__ == "__main__":
    run_script(main)
