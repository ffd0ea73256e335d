#!/usr/bin/env python3
"""Makes each allocation and each system call of each command of catdog fail once, and kills commands at random moments.

    sh tests/fault/run.sh --build build --seconds 50               # a sample of all commands, for so long
    sh tests/fault/run.sh --build build --only eval --whole        # all of one command
    sh tests/fault/run.sh --build build --only train --repeat calls:1234:0  # one again, as its failure names it

A command has failed well if it says so in a sentence, with exit status 1, and what stood where it writes is as it was or
wholly new; it has succeeded if it wrote and printed what it writes and prints otherwise. It never crashes, hangs, or
leaves a temporary file. After a kill, what is on the disk is whole, and the same command goes on to the same result.

With --whole every fault is tried, which takes an hour or two; with --seconds every k-th, from an offset that depends
on --seed. interpose.c makes allocations fail, which it knows by the stack that asks and by how often it did; trace.c
system calls, by their number. The photographs, the net and the models are tiny, and the clock goes by steps, so that a
command takes 20 ms and always does the same.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

NET = {"layers": [{"name": "input", "type": "input", "shape": [16, 16, 3]},
                  {"name": "conv", "type": "conv2d", "filters": 4}, {"name": "relu", "type": "relu"},
                  {"name": "pool", "type": "max_pool2d"}, {"name": "flatten", "type": "flatten"},
                  {"name": "logit", "type": "dense", "units": 1}], "output": "logit"}

FIT = ["--net", "net.json", "--batch", "4", "--epochs", "2", "--augment", "flip", "--threads", "2"]
LEARN = ["train", "--data", "data", "--val", "val", *FIT, "--model", "m.safetensors", "--history", "h.csv",
         "--checkpoint", "c.state"]
MOVE = ["train", "--data", "data", "--val", "val", "--from", "base.safetensors", "--batch", "4", "--threads", "2",
        "--epochs", "2", "--model", "m.safetensors"]
MODEL = ["--model", "base.safetensors"]
COMMANDS = {
    "train": LEARN,
    "resume": [*LEARN, "--resume"],
    "head": [*MOVE, "--head", "linear"],
    "fine-tune": [*MOVE, "--unfreeze-at", "2"],
    "tune": ["tune", "--data", "data", "--val", "val", "--budget", "1s", "--epochs", "1", "--state", "s.json",
             "--threads", "2", "--", "--net", "net.json", "--batch", "4"],
    "quantize": ["quantize", *MODEL, "--data", "data", "--out", "m.safetensors", "--threads", "2"],
    "calibrate": ["calibrate", "--model", "m.safetensors", "--data", "val", "--threads", "2"],
    "export": ["export", *MODEL, "--out", "m.onnx"],
    "export-bf16": ["export", *MODEL, "--out", "m.safetensors"],
    "eval": ["eval", *MODEL, "--data", "val", "--json", "--threads", "2"],
    "predict": ["predict", *MODEL, "--json", "val", "--threads", "2"],
    "check": ["check", "--data", "data", *MODEL, "--json", "--threads", "2"],
    "zip": ["check", "--data", "data.zip", "--json", "--threads", "2"],
    "report": ["report", *MODEL, "--data", "val", "--history", "old.csv", "--out", "out", "--threads", "2"],
    "samples": ["samples", "--data", "val", "--count", "2", "--out", "p.png"],
    "augment-preview": ["augment-preview", "--data", "val", "--count", "1", "--changes", "1", "--size", "16", "--out",
                        "p.svg"],
}
NEEDS = {"export": "onnx", "zip": "zip", "report": "report", "samples": "report", "augment-preview": "report"}
OUTPUTS = ["m.safetensors", "m.onnx", "h.csv", "c.state", "s.json", "p.png", "p.svg", "out"]
KINDS = ["allocations", "calls"]
KILLED = ["train", "resume", "tune", "quantize", "calibrate", "report"]
# Libraries that fail without a sentence, or draw and parse something else, where they get no memory (and, where text is drawn,
# no file or no thread). Nothing may be lost then.
FRAGILE = ["libfontconfig", "libexpat", "libarchive", "libjansson", "libglib", "libgobject", "libpango", "libharfbuzz",
           "libfribidi", "libfreetype", "libthai", "libdatrie", "libstdc++", "libgio", "libz."]
# Cairo crashes where it gets no memory for the edges of a shape; catdog sees to it that there is plenty before it draws.
CAIRO_CRASHES = "cairo crashes"
# Of these, what can't be read is named and left out, and the rest is used: that is what they are to do.
TELLS = re.compile(rb"left out: |could not be classified|can't be (read|opened)|\"error\":")


class Program:
    def __init__(self, options):
        catdog, tools = options.build.resolve() / "examples/catdog", options.build.resolve() / "tests/fault"
        full = catdog / "catdog-full"
        self.path = str(full if full.exists() else catdog / "catdog")
        self.interpose, self.tracer = str(tools / "interpose.so"), str(tools / "trace")

    def run(self, folder, arguments, fault=None):
        """Gives the exit status, both outputs, and what the fault reported."""
        report = folder.parent / f"{folder.name}.report"
        env = {**os.environ, "FAULT_REPORT": str(report), "LC_ALL": "C.UTF-8"}
        command = [self.path, *arguments]
        kind, *where = fault or ["memory", 0]
        if kind == "memory":
            env.update(LD_PRELOAD=self.interpose, FAULT_AT=":".join(map(str, where)))
        else:
            env.update(FAULT_PRELOAD=self.interpose)
            command = [self.tracer, str(report) + "s", *map(str, where), *command]
            report = Path(str(report) + "s")
        report.unlink(missing_ok=True)
        process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        out, err = wait_for(process)
        if out is None:
            return None, b"", err, ""
        status = 128 - process.returncode if process.returncode < 0 else process.returncode
        return status, out, err, report.read_text() if report.exists() else ""

    def list_allocations(self, folder, arguments):
        """Those that can fail: the places that ask, each as often as it does."""
        places = folder.parent / f"{folder.name}.places"
        os.environ["FAULT_LIST"] = str(places)
        self.run(folder, arguments)
        del os.environ["FAULT_LIST"]
        return places.read_text().split()


def thread_states(session):
    """Of all threads of a session: state, processor time and the kernel's function that it waits in."""
    states = {}
    for stat in Path("/proc").glob("[0-9]*/task/*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
            if int(fields[3]) == session:
                states[stat.parent.name] = fields[0], int(fields[11]) + int(fields[12]), stat.with_name("wchan").read_text()
        except OSError:
            continue  # it has ended
    return states


def wait_for(process, minute=60, patience=10):
    """Its outputs; or None and the states of its threads if they sleep after a minute. On a busy machine it may take longer."""
    for _ in range(patience):
        try:
            return process.communicate(timeout=minute)
        except subprocess.TimeoutExpired:
            before = thread_states(process.pid)
            time.sleep(2)
            states = thread_states(process.pid)
            if states == before and not any(state == "R" for state, _, _ in states.values()):
                break
    told = f"hangs: {states}".encode()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return None, told


def draw_photographs(folder, count, first):
    for name, colour in ("Cat", (200, 60, 60)), ("Dog", (60, 60, 200)):
        (folder / name).mkdir(parents=True)
        for number in range(first, first + count):
            noise = random.Random(number)
            image = Image.new("RGB", (16, 16))
            image.putdata([tuple(c + noise.randint(-40, 40) for c in colour) for _ in range(256)])
            image.save(folder / name / f"{number}.{'png' if number % 2 else 'jpg'}")


def expect(program, folder, arguments):
    status, out, err, _ = program.run(folder, arguments)
    if status:
        sys.exit(f"catdog {' '.join(arguments)} doesn't work by itself: {err.decode()}")
    return out


def make_world(program, folder):
    """All that the commands read, and an older version of all that they write."""
    folder.mkdir()
    draw_photographs(folder / "data", 4, 0)
    draw_photographs(folder / "val", 2, 10)
    (folder / "net.json").write_text(json.dumps(NET))
    shutil.make_archive(str(folder / "data"), "zip", folder / "data")
    expect(program, folder, [*LEARN, "--seed", "7"])
    shutil.copy(folder / "m.safetensors", folder / "base.safetensors")
    shutil.copy(folder / "h.csv", folder / "old.csv")
    # a training that was ended after its first epoch: checkpoint, history, checkpoint ...
    _, _, _, names = program.run(folder, LEARN, ["calls", 0, 0])
    renames = [i + 1 for i, name in enumerate(names.split()) if name.startswith("rename:")]
    program.run(folder, LEARN, ["calls", renames[2], "kill"])
    for stray in folder.glob(".*"):
        stray.unlink()
    for name in "samples", "augment-preview", "report", "export":
        if NEEDS[name] in HAS:
            expect(program, folder, COMMANDS[name])
    for name in "m.onnx", "p.png", "p.svg":
        path = folder / name
        if path.exists() and name != "m.onnx":  # older, and still catdog's
            end = path.read_bytes()[-64:]
            path.write_bytes(b"older" + end)
    if (folder / "out").exists():
        (folder / "out" / "index.html").write_text("<!-- older --> Made by catdog 0\n</html>\n")


def contents(folder):
    """The bytes of every file that a command may write, and of what else is new."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and name.split("/")[0] not in ("data", "val", "net.json", "data.zip", "base.safetensors", "old.csv"):
            found[name] = path.read_bytes()
    return found


def without_times(files):
    """The same but for how long a net's layers took, which a report tells where it isn't next to nothing."""
    kept = {name: data for name, data in files.items() if not name.startswith("out/layers.")}
    if "out/index.html" in kept:
        kept["out/index.html"] = re.sub(rb"[0-9.]+ ms|<td>[0-9.]*</td></tr>", b"", kept["out/index.html"])
    return kept


def is_whole(name, data):
    """Whether a file is a whole one of its kind, of whatever contents: as training leaves after any of its epochs."""
    if name.endswith((".safetensors", ".state")):
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        return 8 + length + max(e["data_offsets"][1] for k, e in header.items() if k != "__metadata__") == len(data)
    if name.endswith(".csv"):
        return data.startswith(b"epoch,") and data.endswith(b"\n") and all(r.count(b",") == 7 for r in data.splitlines())
    if name.endswith(".json"):
        return "results" in json.loads(data)
    return False  # there is one right version


class Case:
    """One command: what is before it, and what is right after it."""

    def __init__(self, program, name, world, scratch):
        self.program, self.name, self.arguments, self.world, self.scratch = program, name, COMMANDS[name], world, scratch
        folder = self.fresh("right")
        self.before = contents(folder)
        self.status, self.out, self.err, _ = program.run(folder, self.arguments)
        self.after = contents(folder)
        if self.status:
            sys.exit(f"{name}: fails by itself: {self.err.decode()}")
        again = self.fresh("right")
        if program.run(again, self.arguments)[1] != self.out or contents(again) != self.after:
            sys.exit(f"{name}: doesn't do the same each time")
        _, _, _, names = program.run(self.fresh("right"), self.arguments, ["calls", 0, 0])
        self.ways = [int(call.split(":")[1]) for call in names.split()]
        self.allocations = program.list_allocations(self.fresh("right"), self.arguments)

    def fresh(self, worker):
        folder = self.scratch / f"{self.name}-{worker}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.world, folder)
        if self.name != "resume":
            (folder / "c.state").write_bytes((folder / "c.state").read_bytes())
        return folder

    def restore(self, folder):
        """Quicker than `fresh`: the inputs are as they were."""
        found = contents(folder)
        for name in found.keys() - self.before.keys():
            (folder / name).unlink()
        for name, data in self.before.items():
            if found.get(name) != data:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(data)

    def judge_files(self, folder, told=False):
        """What is wrong with the files; None: nothing."""
        before, after = without_times(self.before), without_times(self.after)
        for name, data in without_times(contents(folder)).items():
            if data in (before.get(name), after.get(name)):
                continue
            if name not in after:
                return f"left {name} behind"
            try:
                whole = is_whole(name, data) or told and name.startswith("out/")
            except (ValueError, KeyError):
                whole = False
            if not whole and not (told and name.startswith("p.") and b"catdog" in data[-40:]):
                return f"{name} is neither the old nor a new one"
        lost = self.before.keys() - contents(folder).keys()
        return f"lost {', '.join(lost)}" if lost else None

    def judge(self, folder, status, out, err):
        told = bool(TELLS.search(err + out))
        if status is None or status not in (0, 1):
            return "hangs" if status is None else f"exit status {status}"
        if status == 1 and b"catdog: " not in err and not told:
            return "fails without a sentence"
        if status == 0 and not told:
            if out != self.out:
                return "prints something else, with exit status 0"
            files, right = without_times(contents(folder)), without_times(self.after)
            if files != right:
                others = sorted(name for name in files.keys() | right.keys() if files.get(name) != right.get(name))
                return f"writes something else, with exit status 0: {', '.join(others)}"
        return self.judge_files(folder, told)

    def run_until_met(self, folder, fault, tries=4):
        """Where threads meet otherwise, what is to fail may not be asked for this often, by this thread."""
        for _ in range(tries):
            self.restore(folder)
            result = self.program.run(folder, self.arguments, fault)
            if result[0] is None or result[3]:
                break
        return result

    def try_fault(self, folder, fault):
        """Gives what is wrong (None: nothing), "-" if there is no such fault, "not met" or CAIRO_CRASHES."""
        status, out, err, report = self.run_until_met(folder, fault)
        met = len(report.split()) == 3 if fault[0] == "calls" else report
        if status is not None and not met:
            return "not met"
        what = report.split()[1:] if fault[0] == "calls" else []
        if what and what[1] == "-":
            return "-"
        if status == 128 + signal.SIGSEGV and fault[0] == "memory" and "libcairo" in report:
            return self.judge_files(folder) or CAIRO_CRASHES
        wrong = self.judge(folder, status, out, err)
        if not wrong and status == 0 and what and what[0] in ("fsync", "fdatasync") and what[1] in ("EIO", "ENOSPC"):
            wrong = "doesn't say that what it wrote may not outlast a loss of power"
        fragile = any(name in report for name in FRAGILE) if fault[0] == "memory" else NEEDS.get(self.name) == "report"
        if wrong and fragile and status in (0, 1):
            return self.judge_files(folder, told=True)
        return wrong and f"{self.name} {':'.join(map(str, fault))} ({' '.join(what) or 'memory'}): {wrong}: " \
                         f"{err.decode(errors='replace').strip()[-300:]}"

    def try_kill(self, folder, position):
        """Kills the command, and lets it be run again."""
        self.restore(folder)
        self.program.run(folder, self.arguments, ["calls", position, "kill"])
        for stray in folder.glob(".*"):  # between getting a name and being renamed
            stray.unlink()
        for stray in (folder / "out").glob(".*") if (folder / "out").exists() else ():
            stray.unlink()
        wrong = self.judge_files(folder)
        if not wrong:
            again = [*self.arguments, "--resume"] if self.name == "train" else self.arguments
            status, _, err, _ = self.program.run(folder, again)
            wrong = err.decode() if status else self.judge_files(folder)
            if not wrong and self.name in ("train", "resume"):
                same = weights(contents(folder)["m.safetensors"]) == weights(self.after["m.safetensors"])
                wrong = None if same else "goes on to other weights"
        return wrong and f"{self.name} kill:{position}: {wrong}"


def weights(data):
    return data[8 + int.from_bytes(data[:8], "little"):]


class Runner:
    def __init__(self, options):
        self.workers = queue.Queue()
        for worker in range(options.jobs):
            self.workers.put(worker)
        self.pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
        self.cairo_crashes = 0
        self.failures, self.tried, self.not_met = [], collections.Counter(), collections.Counter()

    def submit(self, case, what, call):
        def work():
            worker = self.workers.get()
            try:
                folder = case.scratch / f"{case.name}-{worker}"
                if not folder.exists():
                    case.fresh(worker)
                return call(folder)
            finally:
                self.workers.put(worker)
        return case.name, what, self.pool.submit(work)

    def finish(self, futures, deadline=None):
        if deadline:
            concurrent.futures.wait([future for _, _, future in futures], max(0, deadline - time.monotonic()))
            for _, _, future in futures:
                future.cancel()
        for name, what, future in futures:
            if future.cancelled():
                continue
            wrong = future.result()
            if wrong == "-":
                continue
            if wrong == "not met":
                self.not_met[name, what] += 1
                continue
            if wrong == CAIRO_CRASHES:
                self.cairo_crashes += 1
                continue
            self.tried[name, what] += 1
            if wrong:
                self.failures.append(wrong)
                print(f"FAILED: {wrong}", flush=True)
            if sum(self.tried.values()) % 1000 == 0:
                print(f"{sum(self.tried.values())} of {len(futures)} tried, {len(self.failures)} failed", flush=True)


def list_faults(case):
    places = collections.Counter(case.allocations)
    memory = [["memory", place, n + 1] for place, count in places.items() for n in range(count)]
    return memory, [["calls", n + 1, way] for n, ways in enumerate(case.ways) for way in range(ways)]


def sample(faults, share, rng):
    """Every k-th, from a random one on."""
    step = max(1, round(1 / share)) if share > 0 else len(faults) + 1
    return faults[rng.randrange(min(step, len(faults) or 1))::step]


def try_all(runner, cases, options, rng):
    began = time.monotonic()
    faults = {case.name: list_faults(case) for case in cases}
    share = 1 / options.every
    if not options.whole:
        share = options.seconds * options.jobs / 0.1 / max(1, sum(len(a) + len(b) for a, b in faults.values()))
    chosen = [(case, kind, fault) for case in cases for kind, all_faults in zip(KINDS, faults[case.name])
              if options.kind in (None, kind) for fault in sample(all_faults, min(1, share), rng)]
    rng.shuffle(chosen)
    futures = [runner.submit(case, kind, lambda folder, c=case, f=fault: c.try_fault(folder, f))
               for case, kind, fault in chosen]
    runner.finish(futures, None if options.whole else began + options.seconds)


def kill_all(runner, cases, options, rng):
    killed = [case for case in cases if case.name in KILLED]
    futures = []
    for i in range(options.kills if killed else 0):
        case = killed[i % len(killed)]
        position = rng.randint(1, len(case.ways))
        futures.append(runner.submit(case, "kills", lambda folder, c=case, p=position: c.try_kill(folder, p)))
    runner.finish(futures)


def repeat(program, case, text):
    kind, *where = text.split(":")
    folder = case.fresh("repeat")
    if kind == "kill":
        print(case.try_kill(folder, int(where[0])))
        return
    os.environ["FAULT_TRACE"] = "1"
    fault = [kind, *where]
    status, out, err, report = program.run(folder, case.arguments, fault)
    print(f"status {status} {report}\n{out.decode()}\n{err.decode()}\n{case.judge(folder, status, out, err)}")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, metavar="FOLDER", help="where catdog and the tests were built")
    parser.add_argument("--has", default="onnx,zip,report", help="what catdog was built with (%(default)s)")
    parser.add_argument("--only", action="append", choices=COMMANDS, metavar="COMMAND", help=f"of {', '.join(COMMANDS)}")
    parser.add_argument("--seconds", type=float, default=40, help="time for a sample of the faults (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="every fault")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="with --whole: every N-th (%(default)s)")
    parser.add_argument("--kind", choices=KINDS, help="these faults alone")
    parser.add_argument("--kills", type=int, default=12, metavar="N", help="kills at random moments (%(default)s)")
    parser.add_argument("--repeat", metavar="FAULT", help="one fault of the first command again, as a failure names it")
    parser.add_argument("--seed", type=int, help="of the sample and the kills")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="commands at a time (%(default)s)")
    options = parser.parse_args()
    options.seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    return options


def main():
    global HAS
    options = read_options()
    HAS = options.has.split(",")
    program, rng = Program(options), random.Random(options.seed)
    print(f"--seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        probe = Path(folder) / "probe"
        probe.mkdir()
        if program.run(probe, ["--version"], ["calls", 0, 0])[0]:
            print("skipped: processes can't be traced here")
            return 77
        make_world(program, world)
        names = [n for n in COMMANDS if NEEDS.get(n, HAS[0]) in HAS and (not options.only or n in options.only)]
        cases = [Case(program, name, world, Path(folder)) for name in names]
        for case in cases:
            print(f"{case.name}: {len(case.allocations)} allocations, {len(case.ways)} calls", flush=True)
        if options.repeat:
            repeat(program, cases[0], options.repeat)
            return 0
        runner = Runner(options)
        try_all(runner, cases, options, rng)
        kill_all(runner, cases, options, rng)
    for (name, what), count in sorted(runner.tried.items()):
        print(f"{name}: {count} {what} tried, {runner.not_met[name, what]} not met")
    if runner.cairo_crashes:
        print(f"cairo crashed in {runner.cairo_crashes} more, and all files were whole")
    print(f"{sum(runner.tried.values())} tried, {len(runner.failures)} failed")
    return 1 if runner.failures else 0


if __name__ == "__main__":
    sys.exit(main())
