#!/usr/bin/env python3
"""Everything that libcnn measures of itself on this machine, as JSON: the machine's own limits first, then every kernel,
every net, the loader's stages, and start-up.

    bench.py --build build [--out bench.json] [--data PetImages] [--parts machine,kernels,nets,loader,start_up]

`--build` is a build folder of meson. Nothing else should run on the machine meanwhile. compare.py sets the nets beside
other libraries.
"""
import argparse
import json
import os
import pathlib
import platform
import signal
import statistics
import sys
import tempfile
import time

import nets
from given import new_file, positive
from programs import fail, output_of, parse, run_script, start

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "examples" / "catdog" / "sample"
PROGRAMS = {
    "machine": "tests/bench/bench_machine",
    "kernels": "tests/kernels/check_kernels",
    "loader": "tests/bench/bench_loader",
    "catdog": "examples/catdog/catdog",
}
PARTS = ("machine", "kernels", "nets", "loader", "start_up")


def wait(pid):
    """The program's exit status, and the most memory it held, in MB."""
    try:
        _, status, usage = os.wait4(pid, 0)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


def run(command, threads, needed=()):
    """What the program prints as JSON, and the most memory it held, in MB."""
    environment = dict(os.environ, CNN_THREADS=str(threads))
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(command, stdout=output, stderr=errors, env=environment)
        process.returncode, memory = wait(process.pid)
        if process.returncode:
            errors.seek(0)
            fail(command, process.returncode, errors.read().decode(errors="replace"))
        output.seek(0)
        return parse(command, output.read(), needed), memory


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def measure_machine(programs, arguments):
    limits, _ = run([programs["machine"], arguments.threads], arguments.threads)
    return {"processor": processor(), "system": platform.platform(), **limits}


def measure_kernels(programs, arguments):
    return run([programs["kernels"], "--bench", "--json", *arguments.kernels], arguments.threads)[0]


def measure_nets(programs, arguments):
    results = []
    for net in arguments.nets:
        for precision in arguments.precisions:
            option = [] if precision == "fp32" else ["--precision", precision]
            figures, memory = run([programs["catdog"], "bench", "--part", "net", "--json", "--net", net,
                                   "--batch", arguments.batch, "--threads", arguments.threads, *option], arguments.threads)
            results.append({**figures, "peak_memory_mb": round(memory, 1)})
    return results


def measure_loader(programs, arguments):
    command = [programs["loader"], "--json", "--workers", arguments.threads, "--epochs", arguments.repeats]
    figures, memory = run([*command, arguments.data], arguments.threads)
    return {"workers": arguments.threads, **figures, "peak_memory_mb": round(memory, 1)}


def forget(path):
    """Drops what the system keeps of a file in memory."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def spawn(command, threads):
    """Milliseconds from starting a program to its end, and the most memory it held, in MB."""
    environment = dict(os.environ, CNN_THREADS=str(threads))
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    begin = time.perf_counter()
    child = os.posix_spawnp(command[0], command, environment, file_actions=nowhere)
    status, memory = wait(child)
    taken = 1e3 * (time.perf_counter() - begin)
    if status:
        sys.exit(f"{' '.join(command)}: failed")
    return taken, memory


def train_four_conv(catdog, folder, threads):
    """A model in the folder that has learned for one epoch."""
    model = pathlib.Path(folder) / "four_conv.safetensors"
    output_of([catdog, "train", "--data", SAMPLE, "--net", "four_conv", "--epochs", 1, "--threads", threads, "--model",
               model])
    return model


def measure_start_up(programs, arguments):
    photograph = next(iter(sorted(SAMPLE.glob("test/*/*.jpg"))))
    with tempfile.TemporaryDirectory() as folder:
        model = train_four_conv(programs["catdog"], folder, arguments.threads)
        predict = [str(programs["catdog"]), "predict", "--model", str(model), str(photograph)]
        library_folder = arguments.build.resolve() / "lib"
        libraries = [path for path in library_folder.glob("libcnn.so*") if path.is_file()]
        runs, cold = [], []
        for _ in range(10 * arguments.repeats):
            runs.append(spawn(predict, arguments.threads))
        for _ in range(arguments.repeats):
            for path in [model, photograph, programs["catdog"], *libraries]:
                forget(path)
            cold.append(spawn(predict, arguments.threads)[0])
        nothing = [spawn(["true"], arguments.threads)[0] for _ in range(10 * arguments.repeats)]
    return {
        "what": "catdog predict of one photograph, four_conv: from starting the process to its end",
        "median_ms": round(statistics.median(taken for taken, _ in runs), 2),
        "cold_files_ms": round(statistics.median(cold), 2),
        "peak_memory_mb": round(max(memory for _, memory in runs), 1),
        "an_empty_program_ms": round(statistics.median(nothing), 2),
    }


def find_programs(build, parts):
    needed = {"machine": ["machine"], "kernels": ["kernels"], "nets": ["catdog"], "loader": ["loader"],
              "start_up": ["catdog"]}
    programs = {}
    for part in parts:
        for name in needed[part]:
            programs[name] = build.resolve() / PROGRAMS[name]
            if not programs[name].is_file():
                sys.exit(f"{programs[name]} is not there: build it first, with ninja -C {build}")
    return programs


def words(allowed):
    def parse(text):
        chosen = text.split(",")
        for word in chosen:
            if word not in allowed:
                raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(allowed)}")
        return chosen
    return parse


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=new_file, metavar="FILE", help="where the JSON goes (standard output)")
    parser.add_argument("--parts", type=words(PARTS), default=list(PARTS), metavar="PART,...", help=", ".join(PARTS))
    parser.add_argument("--nets", type=words(nets.NAMES), default=list(nets.NAMES), metavar="NET,...")
    parser.add_argument("--precisions", type=words(("fp32", "bf16", "int8")), default=["fp32"], metavar="PRECISION,...")
    parser.add_argument("--kernels", action="append", default=[], metavar="TEXT",
                        help="only kernels' shapes whose name holds this text")
    parser.add_argument("--data", type=pathlib.Path, default=SAMPLE, help="photographs for the loader (the sample)")
    parser.add_argument("--batch", type=positive, default=32)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=positive, default=5, help="epochs of the loader, and starts times ten (5)")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    programs = find_programs(arguments.build, arguments.parts)
    measures = {"machine": measure_machine, "kernels": measure_kernels, "nets": measure_nets,
                "loader": measure_loader, "start_up": measure_start_up}
    results = {"threads": arguments.threads}
    for part in arguments.parts:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        results[part] = measures[part](programs, arguments)
    text = json.dumps(results, indent=2)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    run_script(main)
