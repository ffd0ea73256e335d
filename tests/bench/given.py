"""What the benchmark's scripts take on the command line."""
import argparse


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
