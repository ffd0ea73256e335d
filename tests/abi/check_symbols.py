#!/usr/bin/env python3
"""Checks that the library exports what its headers declare, no more, and nothing less than symbols.txt promises.

Usage: check_symbols.py LIBRARY SYMBOLS HEADERS   (with --update: writes SYMBOLS)
"""
import pathlib
import re
import subprocess
import sys


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    names = (line.split() for line in lines.splitlines())
    return {name[-1].split("@")[0] for name in names if name[-2] not in "A"}


def declared(headers):
    text = "\n".join(path.read_text() for path in pathlib.Path(headers).glob("*.h"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {match for match in re.findall(r"CNN_API\b[^;]*?\b(cnn_\w+)\s*\(", text)}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    library, symbols, headers = arguments
    have, want = exported(library), declared(headers)
    if "--update" in sys.argv:
        pathlib.Path(symbols).write_text("".join(f"{name}\n" for name in sorted(want)))
    promised = set(pathlib.Path(symbols).read_text().split())
    problems = [f"exported but declared in no public header: {name}" for name in sorted(have - want)]
    problems += [f"declared but not exported: {name}" for name in sorted(want - have)]
    problems += [f"promised by symbols.txt but gone: {name}" for name in sorted(promised - have)]
    problems += [f"new, and not in symbols.txt (add it): {name}" for name in sorted(have - promised)]
    print("\n".join(problems) or f"{len(have)} symbols, as declared")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
