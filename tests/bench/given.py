"""What the benchmark's scripts take on the command line."""
import argparse
import os
import pathlib
import shutil


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def positive_number(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def program(text):
    if not shutil.which(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no program")
    return text


def new_file(text):
    """A file that can be written at the end of the measurements."""
    path = pathlib.Path(text)
    place = path if path.exists() else path.absolute().parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise argparse.ArgumentTypeError(f"'{text}' can't be written")
    return path
