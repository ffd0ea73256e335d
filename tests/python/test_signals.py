"""Ctrl-C, and other signals whose handlers raise: real ones, sent to a real process."""
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from conftest import ROOT, SAMPLE

START = f"""
import sys, signal, threading, time
sys.path[:0] = [{str(ROOT / 'python')!r}, {str(ROOT / 'tests/python')!r}]
import numpy as np, cnn
from conftest import photographs, tiny_classifier
X, y = photographs(64)
pets = tiny_classifier(epochs=100000)
first = threading.Lock()  # several threads may ask for files at once
def ready(*_):
    print("ready", flush=True)
def is_first():
    return first.acquire(blocking=False)
"""


def interrupted(text, count=1, signal_number=signal.SIGINT, pause=0.2):
    """Runs a program, sends it signals once it has said "ready" a few times, and gives what it says afterwards."""
    process = subprocess.Popen([sys.executable, "-c", START + textwrap.dedent(text)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        for _ in range(count):
            time.sleep(pause)
            process.send_signal(signal_number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, ""), err
    return [line for line in out.splitlines() if line != "ready"]


FIT = """
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", len(pets.history_) > 0, pets.predict(X[:3]).shape)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize("attempt", range(2))
def test_ctrl_c_ends_a_training_and_what_was_learned_is_kept(attempt):
    said = interrupted(FIT.format(call="pets.fit(X, y, on_epoch=lambda e: ready() if e.epoch == 2 else None)"),
                       pause=0.05 * (attempt + 1))
    assert said == ["interrupted True (3,)", "True"]


def test_ctrl_c_is_heard_without_callbacks():
    said = interrupted(FIT.format(call="(threading.Timer(0.5, ready).start(), pets.fit(X, y))"))
    assert said == ["interrupted True (3,)", "True"]


def test_ctrl_c_ends_a_callback_that_takes_long():
    said = interrupted(FIT.format(
        call="pets.fit(X, y, on_epoch=lambda e: (ready(), time.sleep(60)) if e.epoch == 2 else None)"))
    assert said == ["interrupted True (3,)", "True"]


@pytest.mark.parametrize("pause", [0.001, 0.01, 0.1])
def test_ctrl_c_twice_does_no_harm(pause):
    said = interrupted("""
    try:
        try:
            pets.fit(X, y, on_epoch=lambda e: ready() if e.epoch == 2 else None)
        except KeyboardInterrupt:
            time.sleep(1)  # where the second comes, unless it came before
    except KeyboardInterrupt:
        pass
    print(pets.predict(X[:3]).shape, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """, 2, pause=pause)
    assert said == ["(3,) True"]


def test_a_second_ctrl_c_loses_nothing_wherever_it_comes():
    """A callback raises the first one; the second is sent where a function begins that ends a training."""
    said = interrupted("""
    import os
    ready()
    def second(frame, event, argument):
        if event == "call" and frame.f_code.co_name in places and not sent:
            sent.append(frame.f_code.co_name)
            os.kill(os.getpid(), signal.SIGINT)
    for name in "record_of", "end", "_end_training", "__exit__":
        places, sent = {name}, []
        pets = tiny_classifier(epochs=100000)
        def first(epoch):
            if epoch.epoch == 2:
                sys.setprofile(second)
                raise KeyboardInterrupt
        try:
            pets.fit(X, y, on_epoch=first)
        except KeyboardInterrupt:
            pass
        sys.setprofile(None)
        print(name, sent == [name], len(pets.history_), pets.predict(X[:3]).shape)
    """, 0)
    assert said == [f"{name} True 2 (3,)" for name in ("record_of", "end", "_end_training", "__exit__")]


def test_ctrl_c_ends_the_training_of_a_head():
    said = interrupted("""
    body = tiny_classifier(epochs=1).fit(X, y).model_
    pets = tiny_classifier(pretrained=body, head_epochs=1000000)
    try:
        pets.fit(X, y, on_epoch=lambda e: ready() if e.epoch == 2 else None)
    except KeyboardInterrupt:
        print("interrupted", len(pets.history_) > 0)
    """)
    assert said == ["interrupted True"]


def test_ctrl_c_ends_a_prediction_of_many():
    said = interrupted("""
    pets.epochs = 1
    pets.fit(X, y)
    many = np.zeros((200000, 16, 16, 3), np.float32)
    start = time.monotonic()
    ready()
    try:
        while True:
            pets.predict(X)
            pets.model_.predict(many)
    except KeyboardInterrupt:
        print("interrupted")
    """)
    assert said == ["interrupted"]


@pytest.mark.parametrize("call", ["evaluate", "calibrate"])
def test_ctrl_c_ends_work_on_files_of_ones_own(call):
    """The library asks for a file where the signal arrives: it is neither lost, nor does it cost a photograph."""
    said = interrupted(f"""
    photo = open({str(SAMPLE / 'train/cats/cat.0.jpg')!r}, "rb").read()
    pets.epochs = 1
    pets.fit(X, y)
    asked = []
    def read(index):
        asked.append(index)
        if is_first():
            threading.Timer(0.1, ready).start()
        return photo
    many = cnn.Dataset.from_source(read, 100000, [index % 2 for index in range(100000)], [str(name) for name in pets.classes_])
    try:
        pets.{call}(many)
    except KeyboardInterrupt:
        print("interrupted", len(asked) < 50000)
    """)
    assert said == ["interrupted True"]


@pytest.mark.parametrize("call", ["evaluate", "calibrate"])
def test_ctrl_c_ends_work_on_photographs_at_once(call):
    said = interrupted(f"""
    pets.epochs = 1
    pets.fit(X, y)
    def photos(count):
        labels = [str(pets.classes_[index % 2]) for index in range(count)]
        return cnn.Dataset.from_files([{str(SAMPLE / 'train/cats/cat.0.jpg')!r}] * count, labels)
    def seconds(work):
        start = time.monotonic()
        work()
        return time.monotonic() - start
    few, many = photos(2000), photos(40000)
    of_few = seconds(lambda: pets.{call}(few))
    def interrupted():
        try:
            pets.{call}(many)
            print("ended by itself")
        except KeyboardInterrupt:
            print("interrupted")
    ready()
    print(seconds(interrupted) < 0.5 + 5 * of_few)
    """)
    assert said == ["interrupted", "True"]


@pytest.mark.parametrize("call", ["find_duplicates", "verify"])
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_work_on_files_that_come_slowly(call, threads):
    said = interrupted(f"""
    asked = []
    def read(index):
        asked.append(index)
        if len(asked) >= 3 and is_first():
            ready()
        time.sleep(0.1)
        return b"%d" % index
    many = cnn.Dataset.from_source(read, 200, context=cnn.Context(threads={threads}))
    try:
        many.{call}()
    except KeyboardInterrupt:
        print("interrupted", len(asked) < 20)
    """)
    assert said == ["interrupted True"]


def test_in_another_thread_the_main_one_hears_it_and_can_stop_the_training():
    said = interrupted("""
    stop, done = threading.Event(), threading.Event()  # Python 3.11's join() ends early after Ctrl-C
    def on_epoch(epoch):
        if epoch.epoch == 2:
            ready()
        return stop.is_set()
    threading.Thread(target=lambda: (pets.fit(X, y, on_epoch=on_epoch), done.set())).start()
    try:
        done.wait()
    except KeyboardInterrupt:
        stop.set()
        done.wait()
        print("stopped", len(pets.history_) > 1)
    """)
    assert said == ["stopped True"]


def test_any_handler_that_raises_ends_a_training():
    said = interrupted("""
    class Enough(Exception):
        pass
    def handler(number, frame):
        raise Enough
    signal.signal(signal.SIGUSR1, handler)
    try:
        pets.fit(X, y, on_epoch=lambda e: ready() if e.epoch == 2 else None)
    except Enough:
        print("enough", signal.getsignal(signal.SIGUSR1) is handler)
    """, signal_number=signal.SIGUSR1)
    assert said == ["enough True"]


def test_a_handler_that_does_not_raise_runs_at_once_and_the_training_goes_on():
    said = interrupted("""
    heard = []
    signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    def on_epoch(epoch):
        if epoch.epoch == 2:
            ready()
        return bool(heard) and len(pets.history_) == 0 and epoch.epoch > 3
    pets.fit(X, y, on_epoch=on_epoch)
    print(len(heard), len(pets.history_) > 3)
    """, signal_number=signal.SIGUSR1)
    assert said == ["1 True"]


@pytest.mark.parametrize("handler", ["quiet", "raising", "signal.SIG_IGN"])
def test_a_handler_that_a_callback_sets_stays(handler):
    said = interrupted(f"""
    class Enough(Exception):
        pass
    def quiet(number, frame):
        pass
    def raising(number, frame):
        raise Enough
    handler = {handler}
    def on_epoch(epoch):
        if epoch.epoch == 2:
            signal.signal(signal.SIGINT, handler)
            ready()
        return epoch.epoch > 2 and time.monotonic() > start + 1
    start = time.monotonic()
    try:
        pets.fit(X, y, on_epoch=on_epoch)
    except Enough:
        print("enough")
    print(signal.getsignal(signal.SIGINT) is handler, len(pets.history_) > 1)
    """)
    assert said == ["enough"] * (handler == "raising") + ["True True"]


def test_a_handler_that_a_callback_found_works_after_the_training():
    said = interrupted("""
    found = []
    pets.fit(X, y, on_epoch=lambda epoch: found.append(signal.getsignal(signal.SIGINT)) or epoch.epoch == 2)
    signal.signal(signal.SIGINT, found[0])
    try:
        ready()
        time.sleep(10)
    except KeyboardInterrupt:
        print("interrupted")
    """)
    assert said == ["interrupted"]
