"""The memory of the process that imports this, in MB."""
import re


def megabytes(field):
    """VmRSS: what it holds now; VmHWM: the most that it held."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(re.search(rf"^{field}:\s*(\d+)", file.read(), re.MULTILINE)[1]) / 1024
