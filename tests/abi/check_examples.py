"""The examples in the headers' comments compile, in C and C++, and those that are whole programs work.

    check_examples.py INCLUDE_FOLDER SAMPLE_FOLDER LIBRARY C_COMPILER [C++_COMPILER]

An example is what is set off by four more blanks, after an empty line, in any comment of a header."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Werror"]


def comments(text):
    """Of one header, without the marks at its lines' beginnings; a line without one, as behind a field, is no example."""
    for match in re.finditer(r"/\*(.*?)\*/|(?:^//[^\n]*\n)+", text, re.S | re.M):
        lines = (match[1] or match[0]).splitlines()
        yield [re.sub(r"^( *\*|//)( |$)", "", line) if re.match(" *\\*|//", line) else line.strip() for line in lines]


def examples(text):
    """Of one header: each run of lines that are set off."""
    found = []
    for lines in comments(text):
        inside = False
        for before, line in zip(["", *lines], lines):
            starts = line.startswith("    ") and not inside and not before.strip() and line is not lines[0]
            inside = starts or (inside and (line.startswith("    ") or not line))
            if starts:
                found.append([])
            if inside:
                found[-1].append(line[4:])
    return ["\n".join(example).rstrip() + "\n" for example in found]


def program(header, example):
    """What a compiler takes: functions stand as they are, statements in one."""
    if "#include <cnn/" in example:
        return example
    include = f"#include <cnn/{header if header.endswith('hpp') else 'cnn.h'}>\n"
    if re.search(r"^\w.*\)\n\{", example, re.M):
        return include + example
    return f"{include}int main()\n{{\n{example}    return 0;\n}}\n"


def compile_all(include, folder, library, compilers, search=None):
    """Gives the programs that can be run, and the number of examples."""
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
                runs = "main(" in source.read_text()
                link = [f"-L{library.parent}", "-lcnn", f"-Wl,-rpath,{library.parent}", "-o",
                        source.with_suffix(".out")] if runs else ["-fsyntax-only"]
                done = subprocess.run([*shlex.split(compiler), *flags, *FLAGS, f"-I{search or include.parent}", source, *link],
                                      capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{path}: example {number} doesn't compile as {language}:\n{done.stderr}")
                if runs:
                    programs.append(source.with_suffix(".out"))
    return programs, count


BROKEN = """/* A header whose second comment has an example that doesn't compile.
 *
 *     int fine(void)
 *     {
 *         return 0;
 *     }
 */
int fine(void);

struct thing {
    int field; /* not the example:

                  nor this */
    /* The example:
     *
     *     int broken(void)
     *     {
     *         return nothing;
     *     }
     *
     * Text. */
};
"""


def check_that_broken_ones_are_found(folder, include, compilers):
    """That this test can fail, and for which comments."""
    headers = folder / "broken"
    headers.mkdir()
    (headers / "cnn").symlink_to(include.resolve())
    for text, wrong in ((BROKEN, True), (BROKEN.replace("nothing", "0"), False)):
        (headers / "thing.h").write_text(text)
        try:
            _, count = compile_all(headers, folder, None, compilers, headers)
        except SystemExit as error:
            if wrong and "thing.h: example 1 doesn't compile" in str(error):
                continue
            raise
        if wrong or count != 2:
            sys.exit(f"of a broken header {count} examples were found; {'one is wrong' if wrong else 'it has 2'}")


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
        check_that_broken_ones_are_found(folder, Path(include), compilers)
        place_photographs(Path(sample), folder)
        programs, count = compile_all(Path(include), folder, Path(library).resolve(), compilers)
        if count < 20:
            sys.exit(f"only {count} examples were found in the headers")
        for path in programs:
            done = subprocess.run([path], cwd=folder, capture_output=True, text=True,
                                  env={**os.environ, "CNN_THREADS": "2"})
            if done.returncode or done.stderr:
                sys.exit(f"{path.name} fails: {done.stderr}")


if __name__ == "__main__":
    main(*sys.argv[1:])
