"""Each test has a name of its own that needs no quotes, and is in one of the suites quick and long.

Usage: suites.py MESON-INFO/intro-tests.json"""
import collections
import json
import re
import sys
from pathlib import Path

tests = json.loads(Path(sys.argv[1]).read_text())
wrong = [f"{name}: {count} tests have this name"
         for name, count in collections.Counter(test["name"] for test in tests).items() if count > 1]
for test in tests:
    suites = {suite.partition(":")[2] for suite in test["suite"]}
    if len(suites & {"quick", "long"}) != 1:
        wrong.append(f"{test['name']}: is in the suites {', '.join(sorted(suites))}; one of them must be quick or long")
    if not re.fullmatch(r"\w+", test["name"]):
        wrong.append(f"{test['name']}: a name is made of letters, digits and underscores")
print("\n".join(wrong) or f"{len(tests)} tests")
sys.exit(1 if wrong or not tests else 0)
