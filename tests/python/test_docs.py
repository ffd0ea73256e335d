"""The programs in README.md, docs/python.md, docs/c.md and docs/cpp.md are tried, on few photographs."""
import os
import re
import shlex
import subprocess

import pytest

from conftest import ROOT


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def test_the_python_of_the_docs_works(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    names = {}
    for block in blocks("python.md", "python"):
        if "sklearn" in block and not available("sklearn"):
            continue
        exec(compile(block, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert "epoch 10: " in said and "README: " in said and "missing.jpg: " in said


def test_the_python_of_the_readme_works(place, monkeypatch):
    monkeypatch.chdir(place)
    for block in blocks("../README.md", "python"):
        exec(compile(block, "README.md", "exec"), {})


def available(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def run_programs(place, page, language, compiler, flags):
    """Compiles and runs each program of a page, in order, as the pages before leave the folder."""
    library = os.path.dirname(os.path.abspath(os.environ["CNN_LIBRARY"]))
    for number, block in enumerate(blocks(page, language)):
        if "main(" not in block:
            continue
        source = place / f"{number}.{language}"
        source.write_text(block)
        subprocess.run([*shlex.split(compiler), *flags, "-Wall", "-Wextra", "-Werror", str(source),
                        f"-I{ROOT}/include", "-o", str(source.with_suffix("")), f"-L{library}", "-lcnn",
                        f"-Wl,-rpath,{library}"], check=True)
        done = subprocess.run([str(source.with_suffix(""))], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout, done.stderr


def test_the_c_of_the_docs_works(place):
    run_programs(place, "c.md", "c", os.environ.get("CNN_TEST_CC", "cc"), ["-std=c11"])


def test_the_c_of_the_readme_works(place):
    """Its Python has saved the model."""
    run_programs(place, "../README.md", "c", os.environ.get("CNN_TEST_CC", "cc"), ["-std=c11"])


def test_the_piece_of_c_in_the_page_on_onnx_compiles(tmp_path):
    for number, block in enumerate(blocks("onnx.md", "c")):
        includes = "".join(line + "\n" for line in block.splitlines() if line.startswith("#include"))
        rest = "".join(line + "\n" for line in block.splitlines() if not line.startswith("#include"))
        source = tmp_path / f"{number}.c"
        source.write_text(f"{includes}int main(void)\n{{\ncnn_model *model = NULL;\n(void)model;\n{rest}return 0;\n}}\n")
        subprocess.run([*shlex.split(os.environ.get("CNN_TEST_CC", "cc")), "-std=c11", "-Wall", "-Wextra", "-Werror",
                        "-fsyntax-only", f"-I{ROOT}/include", str(source)], check=True)


def test_the_cpp_of_the_docs_works(place):
    compiler = os.environ.get("CNN_TEST_CXX")
    if not compiler:
        pytest.skip("there is no C++ compiler")
    run_programs(place, "cpp.md", "cpp", compiler, ["-std=c++17"])
