"""What the peers' programs share: their command line, and measuring whenever a line comes in on standard input."""
import argparse
import json
import statistics
import sys
import time

import nets


def arguments(precisions):
    parser = argparse.ArgumentParser()
    parser.add_argument("--net", choices=nets.NAMES, default="four_conv")
    parser.add_argument("--precision", choices=precisions, default="fp32")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def median_seconds(function, repeats, warmup):
    for _ in range(warmup):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def serve(figures):
    """`figures` maps names, as those of `catdog bench --json`, to functions that measure them."""
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps({name: measure() for name, measure in figures.items()}), flush=True)
