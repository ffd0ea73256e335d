"""Each test has a name of its own that needs no quotes, and is in one of the suites quick and long. The tests, suites,
programs and files that CONTRIBUTING.md names are there.

Usage: suites.py BUILD_FOLDER SOURCE_FOLDER
"""
import collections
import json
import re
import sys
from pathlib import Path

build, source = map(Path, sys.argv[1:])
tests = json.loads((build / "meson-info/intro-tests.json").read_text())
names = collections.Counter(test["name"] for test in tests)
wrong = [f"{name}: {count} tests have this name" for name, count in names.items() if count > 1]
all_suites = set()
for test in tests:
    suites = {suite.partition(":")[2] for suite in test["suite"]}
    all_suites |= suites
    if len(suites & {"quick", "long"}) != 1:
        wrong.append(f"{test['name']}: is in the suites {', '.join(sorted(suites))}; one of them must be quick or long")
    if not re.fullmatch(r"\w+", test["name"]):
        wrong.append(f"{test['name']}: a name is made of letters, digits and underscores")

page = (source / "CONTRIBUTING.md").read_text()
told = {
    "suite": (re.findall(r"^meson test -C build --suite (\w+)", page, re.M), all_suites.__contains__),
    "test": (re.findall(r"^meson test -C build (\w+)", page, re.M), names.__contains__),
    "program": (re.findall(r"^build/(\S+)", page, re.M), lambda path: (build / path).exists()),
    "file": (re.findall(r"\btests/[\w/]+\.(?:sh|py|txt)", page), lambda path: (source / path).exists()),
}
for kind, (found, exists) in told.items():
    wrong += [f"CONTRIBUTING.md: there is no {kind} {one}" for one in found if not exists(one)]
    wrong += [] if found else [f"CONTRIBUTING.md: names no {kind}"]
print("\n".join(wrong) or f"{len(tests)} tests")
sys.exit(1 if wrong or not tests else 0)
