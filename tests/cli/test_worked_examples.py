"""The worked examples of docs/internals.md are applied to a copy of the code, which is built and used."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from catdog import PROGRAM, SANITIZED

ROOT = Path(__file__).parents[2]
BUILD = Path(PROGRAM).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="the examples are built without sanitizers"),
    pytest.mark.skipif(not (BUILD / "build.ninja").exists(), reason="the program isn't where it was built"),
    pytest.mark.skipif(not all(map(shutil.which, ("meson", "ninja", "git"))), reason="there is no Meson, Ninja or git"),
]


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def apply_examples(copy):
    """Writes the files and makes the changes of the page; their names."""
    page = (ROOT / "docs/internals.md").read_text()
    changed = set()
    for name, text in re.findall(r"^`(\S+\.[ch])`:\n```c\n(.*?)```", page, re.MULTILINE | re.DOTALL):
        assert not (copy / name).exists(), name
        (copy / name).write_text(text)
        changed.add(name)
    for change in re.findall(r"^```diff\n(.*?)```", page, re.MULTILINE | re.DOTALL):
        run("git", "apply", "-", cwd=copy, input=change)
        changed |= set(re.findall(r"^\+\+\+ b/(\S+)", change, re.MULTILINE))
    return changed


def unneeded(folder, names):
    """What isn't copied: folders of builds, the repository, the tests."""
    return [name for name in names if Path(folder) == ROOT and name.startswith(("build", ".git", "tests"))]


def run_catdog(built, *arguments):
    """With the library of this build, whichever the tests themselves run with."""
    return run(built / "b/examples/catdog/catdog", *arguments,
               env={**os.environ, "LD_LIBRARY_PATH": str(built / "b/lib")})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A build of the changed code, without optimisation; compilers' warnings fail."""
    copy = tmp_path_factory.mktemp("examples") / "libcnn"
    shutil.copytree(ROOT, copy, ignore=unneeded)
    changed = apply_examples(copy)
    assert {"lib/kernels/elementwise/prelu_ukernel.c", "lib/layers/prelu.c", "lib/optim/lion.c", "lib/image/ppm.c",
            "examples/catdog/commands/classes.c"} <= changed
    run("meson", "setup", copy / "b", copy, "-Dtests=disabled", "-Ddocs=disabled", "-Dweb=disabled", "-Dreport=disabled",
        "-Dbuildtype=plain", "-Dc_args=-O0", "-Dwerror=true", "-Dwrap_mode=nodownload")
    run("ninja", "-C", copy / "b", "examples/catdog/catdog")
    return copy


def test_the_kernel_layer_operator_optimizer_and_format_work(built, tmp_path):
    program = tmp_path / "program"
    run("cc", "-std=c11", "-I", built / "include", ROOT / "tests/docs/worked_examples.c", "-o", program,
        "-L", built / "b/lib", "-lcnn", f"-Wl,-rpath,{built}/b/lib", "-lm")
    for instructions in ("generic", "avx2", ""):
        said = run(program, tmp_path / "prelu.onnx",
                   env={**os.environ, "CNN_CPU": instructions, "LD_LIBRARY_PATH": str(built / "b/lib")})
        assert said == "the examples work\n"


def test_the_new_code_compiles_without_a_warning_when_optimised(built):
    page = (ROOT / "docs/internals.md").read_text()
    for name in re.findall(r"^`(lib/\S+\.c)`:\n", page, re.MULTILINE):
        run("cc", "-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-fPIC", "-DCNN_ISA=generic", "-DCNN_VECTOR_GENERIC",
            "-D_POSIX_C_SOURCE=200809L", "-I", built / "include", "-I", built / "lib", "-c", built / name, "-o", os.devnull)


def test_catdog_reads_the_new_format(built, tmp_path):
    for name, values in ("Cat", b"\x10\x80"), ("Dog", b"\x40\xf0"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(3):
            (tmp_path / "data" / name / f"{i}.ppm").write_bytes(b"P6 16 16\n255\n" + (values + bytes([i])) * 16 * 16)
    assert "all are sound" in run_catdog(built, "check", "--data", tmp_path / "data")


def test_the_command_works(built, pets):
    assert run_catdog(built, "classes", "--model", pets.model) == "Cat\nDog\n"
    assert json.loads(run_catdog(built, "classes", "--model", pets.model, "--json")) == ["Cat", "Dog"]
    assert "list a model's classes" in run_catdog(built, "--help")


def test_catdog_offers_the_optimizer_and_records_it(built, pets, tmp_path):
    model = tmp_path / "lion.safetensors"
    run_catdog(built, "train", "--data", pets.data, "--net", "two_conv", "--size", 32, "--epochs", 1,
               "--optimizer", "lion", "--model", model)
    assert rb'\"optimizer\": \"lion\"' in model.read_bytes()


def test_the_new_code_is_laid_out_as_all_is(built):
    if not shutil.which("clang-format"):
        pytest.skip("there is no clang-format")
    page = (ROOT / "docs/internals.md").read_text()
    names = re.findall(r"^`(\S+\.[ch])`:\n|^\+\+\+ b/(\S+\.[ch])$", page, re.MULTILINE)
    run("clang-format", "--dry-run", "-Werror", *{one or other for one, other in names}, cwd=built)
