#!/usr/bin/env python3
"""Checks how lib/ is built: its rooms, who includes whom, where system calls are made, and that nothing prints or exits.

    rooms.py            checks; exit status 1 and a line for each fault
    rooms.py --update   draws the rooms in docs/internals.md anew
    rooms.py --dot      prints the drawing for graphviz, with the number of includes (dot -Tsvg)

A file includes headers of its own room and of rooms above it in ROOMS, by their paths from lib/. No files include each
other in a circle. docs/internals.md lists the same rooms in the same order.
"""
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIB = ROOT / "lib"
PAGE = ROOT / "docs/internals.md"

ROOMS = ["core", "simd", "kernels", "image", "data", "layers", "graph", "compile", "runtime", "formats", "optim",
         "train", "classifier"]

# Another system has none of these, or others. What isn't named here belongs into core/os.c.
SYSTEM_HEADER = re.compile(r"(unistd|fcntl|dirent|pthread|threads|sched|signal|time|poll|dlfcn|ftw|glob|syscall|semaphore"
                           r"|sys/\w+|linux/\w+|arpa/\w+|netinet/\w+|windows|io|direct|process)\.h")
SYSTEM_FILES = {
    "core/os.c": "files, clock, processors, large pages",
    "core/thread.c": "threads and locks",
    "core/thread.h": "their types",
    "core/fork.c": "what a child of a fork has",
}


# Errors are a status and a sentence, messages go to the context's log.
PRINTS_OR_EXITS = re.compile(r"\b(printf|puts|putchar|perror|_?exit|quick_exit|abort)\s*\(|\b(stderr|stdout)\b")


def read_includes():
    """For each file of lib/, as a path from there: what it includes in quotes, and in angle brackets."""
    files = {}
    for path in sorted(LIB.rglob("*.[ch]")):
        text = path.read_text()
        files[path.relative_to(LIB).as_posix()] = (re.findall(r'^#include "([^"]+)"', text, re.MULTILINE),
                                                   re.findall(r"^#\s*include <([^>]+)>", text, re.MULTILINE))
    return files


def room_of(name):
    return name.split("/")[0]


def check_order(files):
    for name, (included, _) in files.items():
        if room_of(name) not in ROOMS:
            yield f"lib/{name}: {room_of(name)} is no room"
            continue
        for header in included:
            room = room_of(header)
            if room not in ROOMS:
                yield f'lib/{name}: "{header}" isn\'t a path from lib/ into a room'
            elif ROOMS.index(room) > ROOMS.index(room_of(name)):
                yield f'lib/{name}: includes "{header}", but {room} stands below {room_of(name)}'


def check_circles(files):
    """Follows each file's includes to their ends; what is met again on the way is a circle."""
    done, way, found = set(), [], []

    def follow(name):
        if name in way:
            found.append("lib/: files include each other in a circle: " + " -> ".join(way[way.index(name):] + [name]))
        elif name not in done:
            way.append(name)
            for header in files.get(name, ((), ()))[0]:
                follow(header)
            way.pop()
            done.add(name)

    for name in files:
        follow(name)
    return found


def check_system_headers(files):
    for name, (_, included) in files.items():
        for header in included:
            if SYSTEM_HEADER.fullmatch(header) and name not in SYSTEM_FILES:
                yield f"lib/{name}: includes <{header}>: system calls are made in lib/core/os.c"
    for name in SYSTEM_FILES:
        if not any(SYSTEM_HEADER.fullmatch(header) for header in files.get(name, ((), ()))[1]):
            yield f"lib/{name}: makes no system calls any more; take it from the list in {Path(__file__).name}"


def check_output(files):
    for name in files:
        code = re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', "", (LIB / name).read_text(), flags=re.DOTALL)
        for word in sorted({match[1] or match[2] for match in PRINTS_OR_EXITS.finditer(code)}):
            yield f"lib/{name}: {word}: the library neither prints nor ends a program"


def present_rooms(files):
    return [room for room in ROOMS if any(room_of(name) == room for name in files)]


def count_includes(files):
    return Counter((room_of(name), room_of(header)) for name, (included, _) in files.items() for header in included
                   if room_of(name) != room_of(header))


def draw(files):
    """A stair: each room at its end, marks in its row under the rooms that it includes headers of."""
    rooms, counts = present_rooms(files), count_includes(files)
    lines = ["".join("●   " if counts[room, above] else "    " for above in rooms[:i]) + room
             for i, room in enumerate(rooms)]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def draw_dot(files):
    rooms = "".join(f"  {room};\n" for room in present_rooms(files))
    arrows = "".join(f'  {room} -> {above} [label="{count}"];\n' for (room, above), count in
                     sorted(count_includes(files).items()))
    return f"digraph rooms {{\n  rankdir=BT;\n  node [shape=box];\n{rooms}{arrows}}}\n"


def check_page(files):
    page = PAGE.read_text()
    listed = re.findall(r"^\| `(\w+)/` \|", page.split("Around it:")[0], re.MULTILINE)
    if listed != present_rooms(files):
        yield f"docs/internals.md: lists the rooms {' '.join(listed)}; in lib/ are {' '.join(present_rooms(files))}"
    if draw(files) not in page:
        yield "docs/internals.md: the drawing of the rooms is not theirs: python3 tests/house/rooms.py --update"


def main():
    files = read_includes()
    if sys.argv[1:] == ["--dot"]:
        print(draw_dot(files), end="")
        return 0
    if sys.argv[1:] == ["--update"]:
        PAGE.write_text(re.sub(r"```text\ncore\n.*?```\n", lambda _: draw(files), PAGE.read_text(), flags=re.DOTALL))
    faults = [*check_order(files), *check_circles(files), *check_system_headers(files), *check_output(files),
              *check_page(files)]
    print("\n".join(faults) if faults else f"{len(files)} files in {len(present_rooms(files))} rooms are in order")
    return bool(faults)


sys.exit(main())
