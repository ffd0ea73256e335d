#!/usr/bin/env python3
"""Checks what the headers promise of their structs and enums, by compilers that are told to make enums short.

    check_structs.py INCLUDE_FOLDER C_COMPILER

- Every enum has 32 bits, with -fshort-enums and without.
- No struct that tells its size ends in padding, and each that a caller makes has an _init function, which takes NULL.
- Every layout is the same with -fshort-enums and without."""
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

GIVEN = {"cnn_progress", "cnn_sample_result", "cnn_training_batch"}  # which only the library makes
STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)^\} \1;", re.S | re.M)
ENUM = re.compile(r"typedef enum (\w+) \{")


def declarations(folder):
    text = "\n".join(path.read_text() for path in sorted(Path(folder).glob("cnn/*.h")))
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def fields(body):
    """The names of a struct's fields, in order."""
    found = []
    for field in filter(None, (part.strip() for part in body.split(";"))):
        function = re.search(r"\(\*(\w+)\)\(", field)
        names = [function[1]] if function else [re.search(r"(\w+)(\[\w+\])?$", part.strip())[1] for part in field.split(",")]
        found += names
    return found


def assertions(text):
    """C that compiles if all is as promised, and prints each struct's layout."""
    structs = {name: fields(body) for name, body in STRUCT.findall(text)}
    enums = ENUM.findall(text)
    sized = {name: names for name, names in structs.items() if names[0] == "struct_size"}
    if len(enums) < 10 or len(sized) < 20:
        sys.exit(f"only {len(enums)} enums and {len(sized)} structs were found in the headers")
    lines = [f'_Static_assert(sizeof({name}) == 4, "{name} has 32 bits");' for name in enums]
    for name, names in sized.items():
        last = f"(({name} *)0)->{names[-1]}"
        lines.append(f'_Static_assert(offsetof({name}, {names[-1]}) + sizeof({last}) == sizeof({name}), '
                     f'"{name} ends in padding after {names[-1]}");')
        if name in GIVEN:
            continue
        lines.append(f"static void check_{name}(void) {{ {name} value; {name}_init(&value); {name}_init(NULL);"
                     f' if (value.struct_size != sizeof value) printf("wrong "); }}')
    lines.append("int main(void) {")
    for name, names in structs.items():
        lines += [f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));' for field in names]
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f"check_{name}();"] if name in sized and name not in GIVEN else []
    return "\n".join(["#include <stddef.h>", "#include <stdio.h>", "#include <cnn/cnn.h>", *lines, "return 0; }"]) + "\n"


def layout(compiler, folder, source, flags):
    program = source.with_suffix(".out")
    subprocess.run([*shlex.split(compiler), "-std=c11", "-Wall", "-Werror", "-DCNN_EXPERIMENTAL", *flags, f"-I{folder}",
                    source, "-o", program], check=True)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def main():
    folder, compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "structs.c"
        source.write_text(assertions(declarations(folder)))
        usual = layout(compiler, folder, source, [])
        if "wrong" in usual:
            sys.exit("an _init function sets another struct_size than its struct's")
        if layout(compiler, folder, source, ["-fshort-enums"]) != usual:
            sys.exit("a struct is laid out in another way with -fshort-enums")


if __name__ == "__main__":
    main()
