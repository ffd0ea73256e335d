#!/usr/bin/env python3
"""catdog bench beside its peers on the same machine: all in turn, medians of the rounds, and their ratios.

    compare.py --catdog build/examples/catdog/catdog --keras PYTHON --torch PYTHON --ort PYTHON
    compare.py --catdog build/examples/catdog/catdog --ort PYTHON --net four_conv --precision int8 --rounds 3

A peer runs in the Python given, which has it installed: pip install tensorflow-cpu; torch; torch onnx onnxruntime; and
openvino with these.
Training is by Adam on data in memory. Nothing else should run on the machine meanwhile. A ratio above 1 says that
catdog is the faster one.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import nets
from given import new_file, positive, program
from programs import fail, json_of, parse, run_script, start

HERE = pathlib.Path(__file__).parent
LATENCY = "predict_latency_ms"
NAMES = {"train_images_per_second": "training, images/s", LATENCY: "batch 1, ms",
         "predict_images_per_second": "batch {batch}, images/s"}
FIGURES = {"fp32": tuple(NAMES), "bf16": ("train_images_per_second",), "int8": (LATENCY, "predict_images_per_second")}
PEERS = {  # precisions that it is measured in, nets
    "keras": (("fp32", "bf16"), tuple(nets.PLAIN)),
    "torch": (("fp32", "bf16"), nets.NAMES),
    "ort": (("fp32", "int8"), nets.NAMES),
    "openvino": (("fp32", "int8"), nets.NAMES),
}


def environment(threads):
    return dict(os.environ, CNN_THREADS=str(threads), OMP_NUM_THREADS=str(threads))


class Catdog:
    def __init__(self, program, workload, threads, precision):
        self.command, self.environment = [program, "bench", "--part", "net", "--json", *workload], environment(threads)
        self.figures = FIGURES[precision]

    def measure(self):
        return json_of(self.command, self.environment, self.figures)


class Peer:
    """A program that measures whenever it is sent a line, within a `with`."""

    def __init__(self, name, python, workload, threads):
        self.command, self.errors = [python, HERE / f"peer_{name}.py", *workload], tempfile.TemporaryFile("w+")
        self.process = start(self.command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                             env=environment(threads), start_new_session=True)  # Ctrl-C is for this process alone

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.wait()
        with self.errors, contextlib.suppress(BrokenPipeError), self.process:
            pass

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.errors.seek(0)
            fail(self.command, status, self.errors.read())
        return line.strip()

    def prepare(self):
        while self.read() != "ready":
            pass

    def measure(self):
        with contextlib.suppress(BrokenPipeError):  # of one that has ended, which is told next
            print(file=self.process.stdin, flush=True)
        line = self.read()
        while not line.startswith("{"):
            line = self.read()
        return parse(self.command, line)


def compare(given, net, precision):
    workload = ["--net", net, "--precision", precision, "--batch", str(given.batch), "--threads", str(given.threads)]
    runners = {"catdog": Catdog(given.catdog, workload, given.threads, precision)}
    with contextlib.ExitStack() as stack:
        for name, (precisions, known) in PEERS.items():
            python = getattr(given, name)
            if python and precision in precisions and net in known:
                runners[name] = stack.enter_context(Peer(name, python, workload, given.threads))
                runners[name].prepare()
        rounds = [{name: runner.measure() for name, runner in runners.items()} for _ in range(given.rounds)]
    rows = []
    for figure, title in NAMES.items():
        values = {name: statistics.median(r[name][figure] for r in rounds) for name in runners
                  if isinstance(rounds[0][name].get(figure), (int, float))}
        ours = values.pop("catdog", None)
        if ours:
            ratios = {name: value / ours if figure == LATENCY else ours / value for name, value in values.items()}
            rows.append({"net": net, "precision": precision, "figure": title.format(batch=given.batch),
                         "catdog": ours, "peers": values, "ratios": ratios})
    return rows


def print_rows(rows):
    for row in rows:
        peers = "  ".join(f"{name} {value:.2f} ({row['ratios'][name]:.2f} x)" for name, value in row["peers"].items())
        print(f"{row['net']:10}  {row['precision']}  {row['figure']:19}  catdog {row['catdog']:8.2f}  {peers}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catdog", type=program, required=True, metavar="PROGRAM")
    for name in PEERS:
        parser.add_argument(f"--{name}", type=program, metavar="PYTHON")
    parser.add_argument("--net", action="append", choices=nets.NAMES, help="may be given several times; all unless given")
    parser.add_argument("--precision", action="append", choices=("fp32", "bf16", "int8"))
    parser.add_argument("--batch", type=positive, default=32)
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--json", type=new_file, metavar="FILE", help="write the figures there, too")
    given = parser.parse_args()
    rows = []
    for precision in given.precision or ("fp32", "bf16", "int8"):
        for net in given.net or nets.NAMES:
            compared = compare(given, net, precision)
            print_rows(compared)
            rows += compared
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    run_script(main)
