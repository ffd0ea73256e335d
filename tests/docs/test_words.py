"""The pages, the comments of the public headers and what catdog says use the field's words. Each of these has a better one."""
import re
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BETTER = {
    r"(?<!cross-)correlations?": "convolution",
    r"tap steps?": "dilation",
    r"addends?": "residual",
    r"surveys?": "liveness",
    r"predictors?": "session",
    r"companions?": "external command",
    r"suspects": "label issues",
    r"verdicts?": "prediction",
    r"judge?ments?": "sample result",
    r"loader speed": "loader benchmark",
    r"taken for": "predicted as",
    r"by heart": "memorised",
    r"it is (?:saved|kept)(?=[.:;,])": "say what is stored, and where",
}
PATTERNS = {re.compile(rf"\b{words}\b".replace(" ", r"\s+"), re.IGNORECASE): better for words, better in BETTER.items()}


def blank(match):
    return re.sub(r"\S", " ", match.group())


def prose(path):
    """A file with all but its prose blank: no code in a page; comments alone in a header; strings alone in a program."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", blank, text, flags=re.DOTALL)
    if path.suffix in (".h", ".hpp"):
        text = re.sub(r"(?:\A|(?<=\*/)).*?(?=/\*|\Z)", blank, text, flags=re.DOTALL)
        return re.sub(r"^ *\*", blank, text, flags=re.MULTILINE)
    if path.suffix == ".c":
        return "\n".join(" ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', line)) for line in text.splitlines())
    return text


def problems(path):
    text = prose(path)
    for pattern, better in PATTERNS.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match.group().split()), better


def files():
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "include/cnn").glob("*.h*"))
    yield from sorted(path for path in (ROOT / "examples/catdog").rglob("*") if path.suffix in (".c", ".html", ".js"))


class Words(unittest.TestCase):
    def found(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            return [(line, word) for line, word, _ in problems(path)]

    def test_the_words_are_the_field_s(self):
        found = [f"{path.relative_to(ROOT)}:{line}: “{word}”: {better}"
                 for path in files() for line, word, better in problems(path)]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_words_are_found_in_any_case_and_across_lines(self):
        self.assertEqual([(1, "taken for")], self.found("a.md", "A cat is taken\nfor a dog."))
        self.assertEqual([(2, "It is saved")], self.found("a.h", "int x; /* The rate.\n * It is\n * saved. */"))
        self.assertEqual([(1, "by heart")], self.found("a.c", 'puts("learned by "\n     "heart");'))

    def test_words_that_only_look_alike_are_none(self):
        self.assertEqual([], self.found("a.md", "cross-correlation; it is saved in the file; a suspected fault; surveyed"))

    def test_code_is_no_prose(self):
        self.assertEqual([], self.found("a.md", "`suspects`, [this](judgement.md)\n```sh\nverdict\n```\n"))
        self.assertEqual([], self.found("a.h", "int verdict; /* fine */ int judgement;\n"))
        self.assertEqual([], self.found("a.c", 'verdict("fine"); /* verdict */\n'))


if __name__ == "__main__":
    unittest.main()
