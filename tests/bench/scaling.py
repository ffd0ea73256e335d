#!/usr/bin/env python3
"""How the cost of an image grows with the image's size, the number of channels, the batch and the number of threads.

    scaling.py --catdog build/examples/catdog/catdog [--net four_conv] [--rounds 3] [--json]

Each row changes one thing of the net as it is; a cost of 2 is twice the time of an image. All rows are measured in turn,
round after round, and medians are compared. Nothing else should run on the machine meanwhile.
"""
import argparse
import json
import os
import statistics
import sys

import nets
from given import positive, program
from programs import json_of, run_script

SIZES = {**{name: net[0] for name, net in nets.PLAIN.items()}, "resnet18": nets.RESNET18[0]}
SIZE_FACTORS = (0.5, 0.75, 1, 1.5, 2)
WIDTHS = (0.25, 0.5, 1, 2)
FIGURES = ("train_images_per_second", "predict_images_per_second")
BATCHES = (1, 4, 8, 16, 32, 64)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catdog", type=program, required=True)
    parser.add_argument("--net", default="four_conv", choices=SIZES)
    parser.add_argument("--batch", type=positive, default=32)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--only", choices=("size", "channels", "batch", "threads"))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def thread_counts(most):
    """1, 2, 4, ... and the most."""
    counts = [1]
    while counts[-1] * 2 < most:
        counts.append(counts[-1] * 2)
    return counts if most == 1 else [*counts, most]


def rows(arguments):
    """(what changes, its value, the options that differ)."""
    size = SIZES[arguments.net]
    table = [("size", round(size * factor), {"--size": round(size * factor)}) for factor in SIZE_FACTORS]
    table += [("channels", f"{width:g} x", {"--width": width}) for width in WIDTHS]
    table += [("batch", batch, {"--batch": batch}) for batch in BATCHES]
    table += [("threads", threads, {"--threads": threads}) for threads in thread_counts(arguments.threads)]
    return [row for row in table if arguments.only in (None, row[0])]


def measure(arguments, changed):
    options = {"--net": arguments.net, "--batch": arguments.batch, "--threads": arguments.threads, **changed}
    command = [arguments.catdog, "bench", "--part", "net", "--json"]
    for name, value in options.items():
        command += [name, str(value)]
    return json_of(command, needed=FIGURES)


def measure_all(arguments):
    """The net as it is first, then the rows: medians of images a second, in training and in prediction."""
    table = [("as it is", "", {}), *rows(arguments)]
    runs = [[] for _ in table]
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
        for row, (_, _, changed) in zip(runs, table):
            row.append(measure(arguments, changed))
    speeds = []
    for (what, value, _), row in zip(table, runs):
        train, predict = (statistics.median(run[figure] for run in row)
                          for figure in FIGURES)
        speeds.append({"what": what, "value": value, "train_images_per_second": train,
                       "predict_images_per_second": predict})
    for row in speeds:
        row["train_cost"] = speeds[0]["train_images_per_second"] / row["train_images_per_second"]
        row["predict_cost"] = speeds[0]["predict_images_per_second"] / row["predict_images_per_second"]
    return speeds


def print_table(arguments, speeds):
    print(f"{arguments.net}, batch {arguments.batch}, {arguments.threads} threads\n")
    print("| changed | to | training, images/s | cost | prediction, images/s | cost |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in speeds:
        print(f"| {row['what']} | {row['value']} | {row['train_images_per_second']:.0f} | {row['train_cost']:.2f} | "
              f"{row['predict_images_per_second']:.0f} | {row['predict_cost']:.2f} |")


def main():
    arguments = read_arguments()
    speeds = measure_all(arguments)
    if arguments.json:
        print(json.dumps({"net": arguments.net, "batch": arguments.batch, "threads": arguments.threads,
                          "rows": speeds}, indent=2))
    else:
        print_table(arguments, speeds)


if __name__ == "__main__":
    run_script(main)
