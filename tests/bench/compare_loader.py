#!/usr/bin/env python3
"""libcnn's loader beside Keras's tf.data and ImageDataGenerator on the same photographs: in turn, medians of the rounds,
and their ratios.

    compare_loader.py --loader build/tests/bench/bench_loader --keras PYTHON --data PetImages [--rounds 5] [--json FILE]

The Python given has Keras: pip install tensorflow-cpu pillow scipy. `--data` is a folder of class folders. Nothing else
should run on the machine meanwhile.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys

from compare import Peer
from given import new_file, positive, program
from programs import json_of, run_script

AUGMENTED = {True: "files_augmented_images_per_second", False: "files_images_per_second"}


class Keras(Peer):
    """The program of peer_keras_loader.py, which measures whenever it is sent a line."""

    def __init__(self, arguments):
        workload = ["--data", str(arguments.data), "--size", str(arguments.size), "--threads", str(arguments.threads),
                    "--most", str(arguments.most)]
        super().__init__("keras_loader", arguments.keras, workload, arguments.threads)


def measure_ours(arguments):
    return json_of([arguments.loader, "--json", "--workers", arguments.threads, "--size", arguments.size, "--epochs",
                    arguments.epochs, arguments.data], needed=AUGMENTED.values())


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loader", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--keras", type=program, required=True, metavar="PYTHON")
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--size", type=positive, default=150)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--epochs", type=positive, default=2, help="of libcnn's loader in a round (2)")
    parser.add_argument("--most", type=positive, default=2000, help="images that Keras loads in a round (2000)")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--json", type=new_file, metavar="FILE", help="also write the figures there")
    return parser.parse_args()


def ratios(ours, theirs):
    return {name: ours[AUGMENTED[name.endswith("augmented")]] / rate for name, rate in theirs.items()}


def medians(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main():
    arguments = read_arguments()
    ours, theirs = [], []
    with Keras(arguments) as keras:
        keras.prepare()
        for number in range(arguments.rounds):
            ours.append(measure_ours(arguments))
            theirs.append(keras.measure())
            print(f"round {number + 1}: libcnn {ours[-1][AUGMENTED[True]]:.0f} images/s augmented,",
                  ", ".join(f"{name} {rate:.0f}" for name, rate in theirs[-1].items()), file=sys.stderr, flush=True)
    ours, theirs = medians(ours), medians(theirs)
    compared = ratios(ours, theirs)
    print(f"{arguments.data}, {arguments.size} px, {arguments.threads} threads, medians of {arguments.rounds}\n")
    print("| libcnn | |\n| --- | --- |")
    for name, value in ours.items():
        print(f"| {name.replace('_', ' ')} | {value:.4g} |")
    print("\n| peer, from files | images/s | libcnn, from files, is faster by |\n| --- | --- | --- |")
    for name, rate in theirs.items():
        print(f"| {name} | {rate:.0f} | {compared[name]:.1f} x |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"libcnn": ours, "keras": theirs, "ratios": compared}, indent=2) + "\n",
                                  encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
