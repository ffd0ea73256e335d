#!/usr/bin/env python3
"""The kernels of two builds in a race: they run in turn, so that whatever else the machine does meets both.

    race_kernels.py BEFORE AFTER [--layer "3x3"] [--set avx2] [--rounds 9]

BEFORE and AFTER are build folders of meson. For each layer, direction and precision it prints the best of each build, in
1e9 operations a second, and the median of the rounds' ratios: above 1, AFTER is faster. Nothing else should run meanwhile.
"""
import argparse
import pathlib
import statistics
import sys

from given import positive
from programs import json_of, run_script

PROGRAM = "tests/kernels/check_kernels"


def rates(build, arguments):
    """Operations a second, by instruction set, precision, threads, layer and direction."""
    command = [str(build / PROGRAM), "--bench", "--json", arguments.layer, *([arguments.set] if arguments.set else [])]
    return {(found["instruction_set"], found["precision"], found["threads"], layer["layer"], direction): rate["gflops"]
            for found in json_of(command) for layer in found["layers"]
            for direction, rate in layer.items() if isinstance(rate, dict)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", type=pathlib.Path)
    parser.add_argument("after", type=pathlib.Path)
    parser.add_argument("--layer", default="", help="layers whose name contains this; default: all")
    parser.add_argument("--set", help="an instruction set, as CNN_CPU names it; default: the best")
    parser.add_argument("--rounds", type=positive, default=9)
    arguments = parser.parse_args()
    for build in (arguments.before, arguments.after):
        if not (build / PROGRAM).exists():
            sys.exit(f"{build / PROGRAM} is not there: build it with ninja -C {build} {PROGRAM}")
    rounds = [(rates(arguments.before, arguments), rates(arguments.after, arguments)) for _ in range(arguments.rounds)]
    raced = [key for key in rounds[0][0] if key in rounds[0][1]]
    if not raced:
        unknown = f", or there is no set {arguments.set!r}" if arguments.set else ""
        sys.exit(f"no layer's name contains {arguments.layer!r}{unknown}")
    for key in raced:
        before, after = ([found[build][key] for found in rounds] for build in (0, 1))
        ratio = statistics.median(b / a for a, b in zip(before, after))
        of_set, precision, threads, layer, direction = key
        print(f"{of_set} {precision} {threads}  {layer:24} {direction:10} {max(before):8.1f} {max(after):8.1f}  {ratio:.3f}")


if __name__ == "__main__":
    run_script(main)
