#!/usr/bin/env python3
"""Checks that test_null.c calls every function of symbols.txt.

Usage: check_null.py SYMBOLS TEST
"""
import pathlib
import re
import sys


def main():
    symbols, test = map(pathlib.Path, sys.argv[1:])
    called = set(re.findall(r"\b(cnn_\w+)\(", test.read_text()))
    promised = [line.split()[0] for line in symbols.read_text().splitlines()]
    missing = [name for name in promised if name not in called]
    for name in missing:
        print(f"{name}: {test.name} doesn't say what it does with NULL")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
