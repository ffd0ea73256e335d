#!/usr/bin/env python3
"""Brings the diffs of docs/internals.md up to date when the files that they change have changed.

Each diff is applied to the file as it is in COMMIT, where it still fits; what it changes there is then merged into the
file as it is now. Where both change the same lines, git's conflict markers are left in the page: resolve them by hand.

Usage: python3 tests/docs/rebase_examples.py [COMMIT]   COMMIT: the last one in which the examples fit (HEAD)
"""
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/internals.md"


def run(*command, ok=(0,), **options):
    done = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, **options)
    if done.returncode not in ok:
        sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def changed_by(diff, old, folder):
    """The text `old` as the diff changes it; None if it doesn't fit."""
    name = re.search(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)[1]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(old)
    done = subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=folder, capture_output=True)
    return None if done.returncode else path.read_text()


def merge(old, example, new, folder):
    """The example's changes of `old`, made to `new`."""
    paths = []
    for name, text in ("new", new), ("old", old), ("example", example):
        paths.append(str(folder / name))
        (folder / name).write_text(text)
    return run("git", "merge-file", "-p", *paths, ok=range(128))


def rebase(diff, commit):
    name = re.search(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)[1]
    new = (ROOT / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        if changed_by(diff, new, Path(folder)) is not None:
            return diff
        old = run("git", "show", f"{commit}:{name}")
        example = changed_by(diff, old, Path(folder))
        if example is None:
            sys.exit(f"{name}: the page's diff doesn't fit it in {commit} either; name an earlier commit")
        merged = merge(old, example, new, Path(folder))
    lines = difflib.unified_diff(new.splitlines(True), merged.splitlines(True), f"a/{name}", f"b/{name}")
    print(f"{name}: {'resolve the conflict in the page' if '<<<<<<<' in merged else 'brought up to date'}")
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def main():
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD"

    def rebase_block(block):
        files = re.split(r"(?m)^(?=--- a/)", block[1])
        return "```diff\n" + "".join(rebase(diff, commit) for diff in files if diff) + "```"

    page = PAGE.read_text()
    PAGE.write_text(re.sub(r"(?ms)^```diff\n(.*?)^```", rebase_block, page))


if __name__ == "__main__":
    main()
