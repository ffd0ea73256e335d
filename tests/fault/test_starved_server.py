"""catdog serve while allocations fail, in it, in libmicrohttpd, jansson, libjpeg and the library."""
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from catdog import PROGRAM, photograph  # noqa: E402
from server import Server, encode, form, post  # noqa: E402

STARVE = os.environ.get("CNN_STARVE")
pytestmark = pytest.mark.skipif(not STARVE, reason="CNN_STARVE names no starve.so")

CAT = encode(photograph("cat", 7, (300, 300)))
BODY, KIND = form(("a.jpg", CAT), ("b.jpg", CAT[:500]), ("c.jpg", CAT))
REQUESTS = [post(CAT), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /nothing%41 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"nonsense\r\n\r\n",
            f"POST /v1/predict?heat_map=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {KIND}\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY]


def ask(server, seed):
    """What is answered to some requests, where something is."""
    draw = random.Random(seed)
    answers = []
    try:
        with server.connect() as connection:
            connection.settimeout(1)
            for _ in range(3):
                request = draw.choice(REQUESTS)
                connection.sendall(request)
                answers.append((request, connection.recv(1 << 20)))
    except OSError:
        pass
    return answers


@pytest.mark.parametrize("every", [2, 3, 7, 29, 101, 997])
def test_it_lives_on_and_serves_again_when_there_is_memory(monkeypatch, every):
    monkeypatch.setenv("LD_PRELOAD", STARVE)
    monkeypatch.setenv("STARVE_EVERY", str(every))
    server = Server("--threads", 2)
    right = server.request("POST", "/v1/predict", CAT, {"Content-Type": "image/jpeg"}).body
    server.process.send_signal(signal.SIGUSR1)
    with ThreadPoolExecutor(8) as clients:
        answers = sum(clients.map(lambda seed: ask(server, seed), range(every, every + 60)), [])
    server.process.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    assert server.process.poll() is None, server.process.communicate()
    for request, answer in answers:
        if request == REQUESTS[0] and answer.startswith(b"HTTP/1.1 200 "):
            assert answer.split(b"\r\n\r\n")[1] in (right, b"")
    assert server.request("POST", "/v1/predict", CAT, {"Content-Type": "image/jpeg"}).body == right
    until = time.monotonic() + 10
    while server.metrics()["catdog_held_bytes"] and time.monotonic() < until:
        time.sleep(0.05)
    assert server.metrics()["catdog_held_bytes"] == 0
    server.stop()
