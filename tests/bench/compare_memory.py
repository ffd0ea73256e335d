#!/usr/bin/env python3
"""The memory of training beside libcnn's peers: the most that a process holds which takes steps of 32 images by Adam, in fp32.

    compare_memory.py --catdog build/examples/catdog/catdog [--keras PYTHON] [--torch PYTHON] [--nets two_conv,resnet50]

A peer runs in the Python given, which has it installed. Of its memory two figures are told: all of it, and what is left when
what it held right after being imported is taken off. Of catdog's nothing is taken off. Memory varies little, so other work may
run on the machine; the peers need up to 12 GB.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import described_nets
from bench import run, words
from given import positive, program
from programs import run_script

HERE = pathlib.Path(__file__).resolve().parent


def measure_catdog(given, net):
    command = [given.catdog, "bench", "--part", "net", "--json", "--net", net, "--batch", given.batch]
    figures, _ = run([*command, "--threads", given.threads], given.threads, ["train_memory_mb"])
    return [figures["train_memory_mb"]]


def measure_peer(given, name, net):
    command = [getattr(given, name), HERE / f"memory_{name}.py", net, given.batch, given.threads]
    figures, _ = run(command, given.threads)
    return [figures["whole"], figures["whole"] - figures["imported"]]


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catdog", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--keras", type=program, metavar="PYTHON")
    parser.add_argument("--torch", type=program, metavar="PYTHON")
    parser.add_argument("--nets", type=words(described_nets.NAMES), default=list(described_nets.NAMES), metavar="NET,...")
    parser.add_argument("--batch", type=positive, default=32)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def main():
    given = read_arguments()
    peers = [name for name in ("torch", "keras") if getattr(given, name)]
    print("| MB | libcnn |" + "".join(f" {name}, whole | {name}, less its import |" for name in peers))
    print("| --- " * (2 + 2 * len(peers)) + "|")
    for net in given.nets:
        figures = measure_catdog(given, net)
        for name in peers:
            figures += measure_peer(given, name, net)
        print(f"| {net} |" + "".join(f" {figure:,.0f} |" for figure in figures), flush=True)


if __name__ == "__main__":
    run_script(main)
