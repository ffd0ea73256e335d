#!/usr/bin/env python3
"""Checks that the library exports what its headers declare, no more, and nothing less than symbols.txt promises: each
function, and the node of the version script (lib/libcnn.map) that it is in.

Usage: check_symbols.py LIBRARY SYMBOLS HEADERS   (with --update: writes SYMBOLS)
"""
import pathlib
import re
import subprocess
import sys


def exported(library):
    """Each function and its node."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    symbols = (line.split() for line in lines.splitlines())
    return {name: node for *_, kind, symbol in symbols if kind != "A" for name, node in [re.split("@+", symbol)]}


def declared(headers):
    text = "\n".join(path.read_text() for path in pathlib.Path(headers).glob("*.h"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {match for match in re.findall(r"CNN_API\b[^;]*?\b(cnn_\w+)\s*\(", text)}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    library, symbols, headers = arguments
    have, want = exported(library), declared(headers)
    if "--update" in sys.argv:
        pathlib.Path(symbols).write_text("".join(f"{name} {have[name]}\n" for name in sorted(have)))
    promised = dict(line.split() for line in pathlib.Path(symbols).read_text().splitlines())
    problems = [f"exported but declared in no public header: {name}" for name in sorted(have.keys() - want)]
    problems += [f"declared but not exported: {name}" for name in sorted(want - have.keys())]
    problems += [f"promised by symbols.txt but gone: {name}" for name in sorted(promised.keys() - have.keys())]
    problems += [f"new, and not in symbols.txt (add it): {name}" for name in sorted(have.keys() - promised.keys())]
    problems += [f"in the node {have[name]}; symbols.txt has it in {promised[name]}: {name}"
                 for name in sorted(have.keys() & promised.keys()) if have[name] != promised[name]]
    print("\n".join(problems) or f"{len(have)} symbols, as declared")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
