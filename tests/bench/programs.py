"""Programs that the benchmark's scripts run. What goes wrong with one, and Ctrl-C, end the script with a sentence."""
import json
import subprocess
import sys


def spoken(command):
    most = 20
    return " ".join([*map(str, command[:most]), *["..."][:len(command) > most]])


def reason(text):
    """Why a program failed, by what it said: of Python's tracebacks the last line."""
    lines = text.strip().splitlines()
    return lines[-1] if "Traceback (most recent call last):" in lines else "\n".join(lines)


def fail(command, status, text):
    sys.exit(f"{spoken(command)}: status {status}: {reason(text)}")


def start(command, **options):
    try:
        return subprocess.Popen([str(word) for word in command], **options)
    except OSError as error:
        sys.exit(f"{command[0]}: can't be started: {error.strerror}")


def output_of(command, environment=None):
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            out, errors = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        fail(command, process.returncode, errors or out)
    return out


def parse(command, text, needed=()):
    """The JSON that a program printed, an object that has these names at least."""
    try:
        printed = json.loads(text)
    except ValueError:
        sys.exit(f"{spoken(command)}: prints no JSON")
    for name in needed:
        if name not in printed:
            sys.exit(f"{spoken(command)}: prints no {name}; is it of another version?")
    return printed


def json_of(command, environment=None, needed=()):
    return parse(command, output_of(command, environment), needed)


def run_script(main):
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
