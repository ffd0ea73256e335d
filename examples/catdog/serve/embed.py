#!/usr/bin/env python3
"""Writes files as a C source: the list `pages` of pages.h. The first of them is the one at "/".

Usage: embed.py OUTPUT FILE...
"""
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def literal(data):
    """A string literal a line, which holds any bytes: octal escapes are of three digits, so none runs on."""
    lines = [data[i:i + 64] for i in range(0, len(data), 64)]
    return "\n".join('        "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)


def main():
    output, *files = sys.argv[1:]
    entries = []
    for number, file in enumerate(map(pathlib.Path, files)):
        data = file.read_bytes()
        path = f"/{file.name}" if number else "/"
        tag = hashlib.sha256(data).hexdigest()[:16]
        entries.append(f'    {{ "{path}", "{TYPES[file.suffix]}", "\\"{tag}\\"",\n{literal(data)},\n        {len(data)} }},\n')
    text = '#include "serve/pages.h"\n\nconst page pages[] = {\n' + "".join(entries) + "    { 0 },\n};\n"
    pathlib.Path(output).write_text(text)


if __name__ == "__main__":
    main()
