#!/usr/bin/env python3
"""What a library takes before it is of any use, beside its peers: the size installed, and the time and memory of a process
that classifies one photograph, from its start to its end.

    compare_footprint.py --catdog build/examples/catdog/catdog [--keras PYTHON] [--torch PYTHON] [--rounds 11]

Each process loads four_conv from a file, decodes one photograph of the sample and prints what it is; all run in turn, with
their files in the system's cache. The size of a peer is that of the folder of packages of a Python that has nothing else
installed than it and Pillow: pip install tensorflow-cpu pillow; torch numpy pillow. The size of libcnn is that of the
library without its symbols, and of the libraries that it needs apart from the C library.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile

from bench import SAMPLE, spawn, train_four_conv
from given import positive, program
from programs import output_of, run_script

HERE = pathlib.Path(__file__).resolve().parent
SYSTEM = re.compile(r"(libc|libm|libpthread|ld-linux[\w-]*|linux-vdso)\.so")


def size_of_folder(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def size_of_peer(python):
    where = "import sysconfig; print(sysconfig.get_path('platlib'))"
    return size_of_folder(output_of([python, "-c", where]).strip())


def size_of_library(catdog):
    """Bytes of the stripped library that the program runs with, and of what that needs."""
    def needs(binary):
        return {name: path for name, path in re.findall(r"^\s*(\S+) => (/\S+)", output_of(["ldd", binary]), re.MULTILINE)
                if not SYSTEM.match(name)}

    library = next((path for name, path in needs(shutil.which(catdog)).items() if name.startswith("libcnn.so")), None)
    if not library:
        sys.exit(f"{catdog}: isn't linked with libcnn.so")
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "libcnn.so"
        output_of(["strip", "-o", stripped, library])
        own = stripped.stat().st_size
    return own, own + sum(os.path.getsize(path) for path in needs(library).values())


def commands(given, folder, photograph):
    """The command that classifies the photograph, for each of the libraries."""
    model = train_four_conv(given.catdog, folder, given.threads)
    found = {"libcnn": [given.catdog, "predict", "--model", model, photograph]}
    for name, ending in (("keras", "keras"), ("torch", "pt")):
        python = getattr(given, name)
        if python:
            script, saved = HERE / f"footprint_{name}.py", pathlib.Path(folder) / f"four_conv.{ending}"
            output_of([python, script, "make", saved])
            found[name] = [python, script, "predict", saved, photograph]
    return {name: [str(word) for word in command] for name, command in found.items()}


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catdog", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--keras", type=program, metavar="PYTHON")
    parser.add_argument("--torch", type=program, metavar="PYTHON")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=positive, default=11)
    return parser.parse_args()


def main():
    given = read_arguments()
    own, whole = size_of_library(given.catdog)
    sizes = {"libcnn": f"{own / 1e6:.2f} MB, {whole / 1e6:.1f} MB with what it needs"}
    for name in ("keras", "torch"):
        if getattr(given, name):
            sizes[name] = f"{size_of_peer(getattr(given, name)) / 1e6:.0f} MB"
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(given, folder, next(iter(sorted(SAMPLE.glob("test/*/*.jpg")))))
        rounds = [{name: spawn(command, given.threads) for name, command in runs.items()} for _ in range(given.rounds)]
    print("| | size installed | one photograph, ms | peak memory, MB |\n| --- | --- | --- | --- |")
    for name in runs:
        taken = statistics.median(one[name][0] for one in rounds)
        memory = max(one[name][1] for one in rounds)
        print(f"| {name} | {sizes[name]} | {taken:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    run_script(main)
