#!/usr/bin/env python3
"""catdog bench beside a peer on the same machine: the two in turn, medians, and their ratio.

    compare.py --catdog build/examples/catdog/catdog --keras /path/to/venv/bin/python [--net four_conv] [--rounds 5]

The peer runs in the Python given, which has it installed (pip install tensorflow-cpu). Training is by Adam, data in
memory, two threads unless said. Nothing else should run on the machine meanwhile.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

FIGURES = ("train_images_per_second", "predict_latency_ms", "predict_images_per_second")


def run(command, threads):
    environment = dict(os.environ, CNN_THREADS=str(threads))
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catdog", required=True)
    parser.add_argument("--keras", required=True, metavar="PYTHON")
    parser.add_argument("--net", default="four_conv", choices=("two_conv", "three_conv", "four_conv"))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    workload = ["--net", arguments.net, "--batch", str(arguments.batch), "--threads", str(arguments.threads)]
    commands = {
        "catdog": [arguments.catdog, "bench", "--json", *workload],
        "keras": [arguments.keras, str(pathlib.Path(__file__).parent / "peer_keras.py"), *workload],
    }
    results = {name: [] for name in commands}
    for number in range(arguments.rounds):
        for name, command in commands.items():
            results[name].append(run(command, arguments.threads))
            print(f"round {number + 1} {name:7}",
                  *(f"{figure} {results[name][-1][figure]:.2f}" for figure in FIGURES), flush=True)

    print(f"\n{arguments.net}, batch {arguments.batch}, {arguments.threads} threads, fp32, medians of {arguments.rounds}")
    for figure in FIGURES:
        ours, theirs = (statistics.median(run[figure] for run in results[name]) for name in ("catdog", "keras"))
        print(f"{figure:28} catdog {ours:9.2f}  keras {theirs:9.2f}  ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
