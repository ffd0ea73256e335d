#!/usr/bin/env python3
"""Reads from a library and programs how they are hardened: check_hardening.py LIBRARY [PROGRAM...]"""

import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

LARGEST_LIBRARY = 1_900_000
FEWEST_JUMP_TARGETS = 10


def readelf(path, *options):
    return subprocess.run(["readelf", "--wide", *options, path], check=True, capture_output=True, text=True).stdout


def segments(path):
    """Each segment's name and flags."""
    return re.findall(r"^ +([A-Z_]+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3})", readelf(path, "-l"), re.MULTILINE)


def missing(path):
    """What the file lacks."""
    symbols = readelf(path, "--dyn-syms")
    found = dict(segments(path))
    checks = {
        "position-independent code": " DYN " in readelf(path, "-h"),
        "read-only relocations (relro)": "GNU_RELRO" in found,
        "binding at start (now)": re.search(r"FLAGS.*\bNOW\b", readelf(path, "-d")),
        "a stack that can't be executed": "E" not in found.get("GNU_STACK", "E"),
        "no segment to write and execute": all(not {"W", "E"} <= set(flags) for _, flags in segments(path)),
        "the stack protector": "__stack_chk_fail" in symbols,
        "checked functions (FORTIFY)": re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")),
    }
    if platform.machine() == "x86_64":
        # the file as a whole is only marked where the system's own start-up code is
        code = subprocess.run(["objdump", "-d", path], check=True, capture_output=True, text=True).stdout
        checks["marks of jump targets (CET)"] = code.count("endbr64") >= FEWEST_JUMP_TARGETS
    return [name for name, passed in checks.items() if not passed]


def stripped_size(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "stripped"
        shutil.copy(library, copy)
        subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        return copy.stat().st_size


def main():
    faults = [f"{path}: lacks {name}" for path in sys.argv[1:] for name in missing(path)]
    size = stripped_size(sys.argv[1])
    asserts = "__assert_fail" in readelf(sys.argv[1], "--dyn-syms")  # these aren't in what is installed
    if size > LARGEST_LIBRARY and not asserts:
        faults.append(f"{sys.argv[1]}: is {size} bytes stripped; {LARGEST_LIBRARY} are allowed")
    print("\n".join(faults) or f"hardened; the library is {size} bytes stripped")
    sys.exit(bool(faults))


main()
