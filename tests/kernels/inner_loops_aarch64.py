#!/usr/bin/env python3
"""Prints what share of the rate at which Arm's Neoverse cores can multiply the inner loops of NEON's kernels reach,
as llvm-mca predicts it from the cores' models, and fails if register tiles don't reach theirs or spill. Nothing runs:
the loops are what the cross compiler makes of them, with loads and stores taken to depend on each other.
Skips (77) without cross compiler, or an llvm-mca that knows the cores (LLVM 18 and later).
Usage: inner_loops_aarch64.py SOURCE_ROOT {set NAME FLAG... SOURCE...}...
Debian's packages: gcc-aarch64-linux-gnu libc6-dev-arm64-cross llvm-19"""
import os
import re
import shlex
import shutil
import subprocess
import sys

CORES = ("neoverse-n1", "neoverse-v1", "neoverse-v2")
LACKING = {"neoverse-n1": ("bfdot", "bfmmla", "usmmla")}
OPERANDS = {"fmla": "4s", "sdot": "16b", "usmmla": "16b", "bfdot": "8h", "bfmmla": "8h"}

# What is looked at: set, source, function, multiplication, the fewest of them in a loop, and the least share in percent.
LOOPS = (
    ("neon", "gemm", r"tile_(6x4|5x4|8x3|7x3|8x2)", "fmla", 1, 95),  # dense, direct, Winograd's products
    ("neon", "depthwise", r"rows", "fmla", 21, 0),  # 3 × 3: one row, two; 5 × 5: one row, two
    ("neon", "depthwise_gemm", r"multiply_channels|weight_gradient", "fmla", 4, 0),
    ("neon_dot", "int8_gemm", r"tile_8x[12]", "sdot", 1, 0),
    ("neon_i8mm", "int8_gemm", r"tile_8x[12]", "usmmla", 1, 0),
    ("neon_bf16", "gemm", r"tile_(6x4|5x4|8x3|8x2)", "bfdot", 1, 95),
    ("neon_bf16", "gemm", r"tile_(6x4|5x4|8x3|8x2)", "bfmmla", 1, 65),  # more than half: each is two bfdot
)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def find_analyser():
    names = [os.environ["LLVM_MCA"]] if "LLVM_MCA" in os.environ else [f"llvm-mca-{v}" for v in range(30, 17, -1)]
    for name in names + ["llvm-mca"]:
        path = shutil.which(name)
        version = path and re.search(r"LLVM version (\d+)", subprocess.run([path, "--version"], text=True,
                                                                          capture_output=True).stdout)
        if version and int(version[1]) >= 18:
            return path
    skip("no llvm-mca of LLVM 18 or later")


def read_sets(words):
    sets = {}
    for word in words:
        if word == "set":
            current = None
        elif current is None:
            current = sets.setdefault(word, ([], []))
        else:
            current[0 if word.startswith("-") else 1].append(word)
    return sets


def compile_source(compiler, root, isa, flags, source):
    command = compiler + ["-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fPIC",
                          "-fno-stack-protector", "-fvisibility=hidden", "-D_POSIX_C_SOURCE=200809L",
                          f"-I{root}/include", f"-I{root}/lib", f"-DCNN_ISA={isa}", *flags, "-S", "-o", "-", source]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def loops_of(assembly):
    """Each (function, instructions) that end in a branch back: those since the last label, where branches ahead are not
    taken."""
    loops, function, labels, body = [], None, set(), []
    for line in assembly.splitlines():
        line = line.split("//")[0].strip()
        start = re.match(r"(\.?[\w.$]+):", line)
        if start:
            if not start[1].startswith("."):
                function, labels = start[1], set()
            labels.add(start[1])
            body = []
        elif re.match(r"(b|b\.?[a-z]{2}|cbn?z|tbn?z|ret|br)\b", line):
            if line.split()[-1] in labels:
                loops.append((function, body))
            if line.split()[-1] in labels or line.startswith(("b\t", "ret", "br")):
                body = []
        elif line and not line.startswith((".", "#")):
            body.append(line)
    return loops


def count_cycles(analyser, core, body):
    """Of one turn among many."""
    def total(turns):
        command = [analyser, "-mtriple=aarch64", f"-mcpu={core}", "-mattr=+bf16,+i8mm,+dotprod", "-noalias=false",
                   f"-iterations={turns}", "-instruction-info=0", "-resource-pressure=0"]
        output = subprocess.run(command, input="\n".join(body), check=True, capture_output=True, text=True).stdout
        return int(re.search(r"Total Cycles:\s+(\d+)", output)[1])
    return (total(120) - total(40)) / 80


def measure_peak(analyser, core, multiplication):
    shape = OPERANDS[multiplication]
    return 28 / count_cycles(analyser, core,
                             [f"{multiplication} v{i}.4s, v30.{shape}, v31.{shape}" for i in range(28)])


def main():
    compiler = shlex.split(os.environ.get("AARCH64_CC", "aarch64-linux-gnu-gcc"))
    if not shutil.which(compiler[0]):
        skip(f"no {compiler[0]}")
    analyser = find_analyser()
    root, sets = sys.argv[1], read_sets(sys.argv[2:])
    assemblies, peaks, failures = {}, {}, []
    print(f"{'set':<10} {'loop':<32} {'multiplications':<16} {'stack':>5}  " + "  ".join(CORES))
    for isa, name, pattern, multiplication, fewest, floor in LOOPS:
        flags, sources = sets[isa]
        source = next(s for s in sources if s.endswith(f"/{name}_ukernel.c"))
        if (isa, source) not in assemblies:
            assemblies[isa, source] = loops_of(compile_source(compiler, root, isa, flags, source))
        worst = {}
        for function, body in assemblies[isa, source]:
            count = sum(line.startswith(multiplication) for line in body)
            if not re.fullmatch(pattern, function) or count < fewest:
                continue
            shares = {}
            for core in CORES:
                if multiplication in LACKING.get(core, ()):
                    continue
                peak = peaks.setdefault((core, multiplication), measure_peak(analyser, core, multiplication))
                shares[core] = 100 * count / count_cycles(analyser, core, body) / peak
            spills = sum("[sp" in line for line in body)
            key = function, count
            if key not in worst or min(shares.values()) < min(worst[key][0].values()):
                worst[key] = shares, spills
        if not worst:
            failures.append(f"{isa}: no loop of {name}_ukernel.c has {multiplication}")
        for (function, count), (shares, spills) in sorted(worst.items()):
            columns = [f"{shares[core]:>{len(core) - 1}.1f}%" if core in shares else " " * len(core) for core in CORES]
            print(f"{isa:<10} {name + ' ' + function:<32} {count:>3} {multiplication:<12} {spills:>5}  "
                  + "  ".join(columns).rstrip())
            if floor and (spills or min(shares.values()) < floor):
                failures.append(f"{isa}: {name}'s {function} should reach {floor} % without the stack")
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
