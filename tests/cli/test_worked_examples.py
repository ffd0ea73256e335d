"""The worked examples of docs/internals.md are applied to a copy of the code, which is built and used."""
import json
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catdog import PROGRAM, SANITIZED

ROOT = Path(__file__).parents[2]
BUILD = Path(PROGRAM).resolve().parents[2]
COMMANDS = BUILD / "compile_commands.json"
LIBRARY = BUILD / "lib/libcnn.a"

pytestmark = [
    pytest.mark.skipif(not COMMANDS.exists() or not LIBRARY.exists(), reason="the program isn't where it was built"),
    pytest.mark.skipif(SANITIZED, reason="the examples are compiled without sanitizers"),
]


def apply_examples(copy):
    """Writes the files and makes the changes of the page; the names of what is to be compiled."""
    page = (ROOT / "docs/internals.md").read_text()
    changed = set()
    for name, text in re.findall(r"^`(lib/\S+\.c)`:\n```c\n(.*?)```", page, re.MULTILINE | re.DOTALL):
        (copy / name).write_text(text)
        changed.add(name)
    for change in re.findall(r"^```diff\n(.*?)```", page, re.MULTILINE | re.DOTALL):
        done = subprocess.run(["git", "apply", "-"], cwd=copy, input=change, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        changed |= set(re.findall(r"^\+\+\+ b/(\S+)", change, re.MULTILINE))
    return changed


def compile_commands():
    """The command for each source, without optimisation; one that is compiled per instruction set has several."""
    found = {}
    for entry in json.loads(COMMANDS.read_text()):
        source = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        words = shlex.split(entry["command"])
        output = words.index("-o") + 1
        found.setdefault(source, {})[words[output]] = words
    return found


def compile_one(copy, words, source):
    """Compiles the copy's source as the build does its own."""
    words = [word for word in words if not re.fullmatch(r"-O\w|-M[DQF]?|-Werror", word)]
    place = next(i for i, word in enumerate(words) if word.endswith(source))
    result = str(copy / re.sub(r"\W", "_", words[words.index("-o") + 1])) + ".o"
    words[place] = str(copy / source)
    words[words.index("-o") + 1] = result
    words = [re.sub(r"^-I(?:\.\./)+(lib|include)$", rf"-I{copy}/\1", word) for word in words]
    words = [word for word in words if not word.endswith((".o.d", ".c.o"))]
    done = subprocess.run([*words, "-O0"], cwd=BUILD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return result


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_the_worked_examples_can_be_applied_and_work(tmp_path):
    for folder in ("lib", "include"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    changed = apply_examples(tmp_path)
    assert {"lib/layers/softsign.c", "lib/optim/lion.c", "lib/kernels/elementwise/elementwise_ukernel.c"} <= changed
    known = compile_commands()
    known["lib/layers/softsign.c"] = {"softsign": [w.replace("activations", "softsign") for w in
                                                   next(iter(known["lib/layers/activations.c"].values()))]}
    known["lib/optim/lion.c"] = {"lion": [w.replace("sgd", "lion") for w in
                                          next(iter(known["lib/optim/sgd.c"].values()))]}
    # where the enlarged family of kernels is called
    sources = sorted({name for name in changed if name.endswith(".c")} | {"lib/kernels/elementwise/elementwise.c"})
    with ThreadPoolExecutor() as pool:
        objects = list(pool.map(lambda job: compile_one(tmp_path, *job),
                                [(words, name) for name in sources for words in known[name].values()]))
    compiler = [word for word in next(iter(known["lib/optim/sgd.c"].values())) if not word.endswith("ccache")][0]
    modules = subprocess.run(["pkg-config", "--print-requires-private", str(BUILD / "meson-private/cnn.pc")],
                             capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in modules.splitlines()]
    libraries = subprocess.run(["pkg-config", "--libs", *names], capture_output=True, text=True, check=True).stdout
    program = tmp_path / "program"
    subprocess.run([compiler, f"-I{tmp_path}/include", str(ROOT / "tests/docs/worked_examples.c"), *objects,
                    str(LIBRARY), "-o", str(program), *libraries.split(), "-lm", "-pthread"], check=True)
    for instructions in ("generic", "avx2", ""):
        done = subprocess.run([str(program)], capture_output=True, text=True, env={**os.environ, "CNN_CPU": instructions})
        assert (done.returncode, done.stdout) == (0, "the examples work\n"), done.stderr
