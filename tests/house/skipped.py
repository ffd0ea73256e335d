"""Tests that are skipped for lack of a Python module say how to get it.

Usage: skipped.py SOURCE_FOLDER
"""
import os
import subprocess
import sys
from pathlib import Path

tests = Path(sys.argv[1]) / "tests"
scripts = [path for path in sorted(tests.glob("*/run.sh")) if "pytest" in path.read_text() or "run.py" in path.read_text()]
wrong = []
for script in scripts:
    done = subprocess.run(["sh", script], env={**os.environ, "CNN_TEST_PYTHON": "false"}, capture_output=True, text=True)
    if done.returncode != 77 or "tests/requirements.txt" not in done.stdout or "CNN_TEST_PYTHON" not in done.stdout:
        wrong.append(f"{script}: exit status {done.returncode}: {done.stdout}{done.stderr}")
print("\n".join(wrong) or f"{len(scripts)} scripts")
sys.exit(1 if wrong or len(scripts) < 5 else 0)
