"""The examples in the headers' comments compile, in C and C++, and those that are whole programs work.

    check_examples.py INCLUDE_FOLDER SAMPLE_FOLDER LIBRARY C_COMPILER [C++_COMPILER]

An example is what is set off by four more blanks, after an empty line, in a header's first comment."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Werror"]


def examples(text):
    """Of one header: each run of lines that are set off."""
    comment = re.match(r"/\*.*?\*/|(//[^\n]*\n)+", text, re.S)[0]
    lines = [re.sub(r"^( \*|//)( |$)", "", line) for line in comment.splitlines()]
    found, inside = [], False
    for before, line in zip(["", *lines], lines):
        inside = line.startswith("    ") and (inside or not before.strip()) or (inside and not line)
        if inside and (not found or not before.strip() and not found[-1]):
            found.append([])
        if inside:
            found[-1].append(line[4:])
        elif found and found[-1]:
            found.append([])
    return ["\n".join(example).rstrip() + "\n" for example in found if example]


def program(header, example):
    """What a compiler takes: functions stand as they are, statements in one."""
    include = f"#include <cnn/{header if header.endswith('hpp') else 'cnn.h'}>\n"
    if re.search(r"^\w.*\)\n\{", example, re.M):
        return include + example
    return f"{include}int main()\n{{\n{example}    return 0;\n}}\n"


def compile_all(include, folder, library, compilers):
    """Gives the programs that can be run."""
    programs, count = [], 0
    for path in sorted(include.glob("*.h*")):
        for number, example in enumerate(examples(path.read_text())):
            count += 1
            for language, (compiler, flags) in compilers.items():
                if path.suffix == ".hpp" and language == "c":
                    continue
                flags = ["-std=c++17"] if path.suffix == ".hpp" else flags
                source = folder / f"{path.stem}{number}.{language}"
                source.write_text(program(path.name, example))
                link = [f"-L{library.parent}", "-lcnn", f"-Wl,-rpath,{library.parent}", "-o", source.with_suffix(".out")]
                runs = "main(" in source.read_text()
                done = subprocess.run([*shlex.split(compiler), *flags, *FLAGS, f"-I{include.parent}", source,
                                       *(link if runs else ["-fsyntax-only"])], capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{path}: example {number} doesn't compile as {language}:\n{done.stderr}")
                if runs:
                    programs.append(source.with_suffix(".out"))
    if count < 4:
        sys.exit(f"only {count} examples were found in the headers")
    return programs


def place_photographs(sample, folder):
    for kind, name in (("cats", "Cat"), ("dogs", "Dog")):
        (folder / "PetImages" / name).mkdir(parents=True)
        for path in sorted((sample / "test" / kind).glob("*.jpg"))[:10]:
            shutil.copy(path, folder / "PetImages" / name)
    shutil.copy(sample / "test/cats/cat.10030.jpg", folder / "photo.jpg")


def main(include, sample, library, c, cpp=None):
    compilers = {"c": (c, ["-std=c11"])}
    if cpp:
        compilers["cpp"] = (cpp, ["-std=c++11"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place_photographs(Path(sample), folder)
        for path in compile_all(Path(include), folder, Path(library).resolve(), compilers):
            done = subprocess.run([path], cwd=folder, capture_output=True, text=True,
                                  env={**os.environ, "CNN_THREADS": "2"})
            if done.returncode or done.stderr:
                sys.exit(f"{path.name} fails: {done.stderr}")


if __name__ == "__main__":
    main(*sys.argv[1:])
