"""catdog serve with more work than it can do: its end, clients that go away, crowds, and memory."""
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

import bombs
from catdog import PROGRAM, SANITIZED, photograph
from server import HAS_SERVE, Server, encode, form, post, serving

pytestmark = pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd")

CAT = encode(photograph("cat", 7))


def bomb(side, interlaced=False):
    """A PNG of one colour: small to send, and long to decode. (Pillow can't interlace.)"""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    packer = zlib.compressobj(1)
    rows = side if not interlaced else 2 * side  # more than its passes have; the rest isn't read
    pixels = b"".join([packer.compress(bytes(1 + 3 * side)) for _ in range(rows)] + [packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


SLOW = bomb(3500)


def wait_until(true, seconds=20):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "that never happened"
        time.sleep(0.01)


def send_many(server, photographs, content=SLOW):
    """A client that wants many slow photographs classified, and its bytes."""
    body, kind = form(*[("slow.png", content)] * photographs)
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    client = server.connect()
    client.sendall(head.encode() + body)
    return client, len(body)


def fill(server, requests, photographs=30):
    clients, sizes = zip(*[send_many(server, photographs) for _ in range(requests)])
    wait_until(lambda: server.metrics()["catdog_held_bytes"] > 0.8 * sum(sizes))
    return list(clients)


def reset(connection):
    """Goes away at once, with no good-bye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_photographs_of_clients_that_went_away_are_dropped(pets, leave):
    with serving("--model", pets.model, "--batch", 1, "--threads", 1) as server:
        clients = fill(server, 7)
        for client in clients[1:]:
            leave(client)
        wait_until(lambda: server.metrics()["catdog_queue_depth"] <= 30, 2)
        leave(clients[0])
        assert server.predict(("cat.jpg", CAT)).status == 200
        assert server.metrics()["catdog_batch_photographs_total"] < 100
        wait_until(lambda: server.metrics()["catdog_requests_dropped_total"] == 7)
        assert server.metrics()["catdog_held_bytes"] == 0


def test_the_end_comes_in_ten_seconds_whatever_waits(pets):
    server = Server("--model", pets.model, "--batch", 1, "--threads", 1)
    idle, half = server.connect(), server.connect()
    half.sendall(post(CAT)[:-100])
    clients = fill(server, 8)
    began = time.monotonic()
    assert server.stop().endswith("\ncatdog: stopped\n")
    assert time.monotonic() - began < 10
    answers = [client.recv(65536) for client in clients]
    assert all(answer[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 503") for answer in answers), answers
    for client in (idle, half, *clients):
        client.close()


def test_a_batch_that_takes_too_long_does_not_hold_up_the_end(pets):
    server = Server("--model", pets.model, "--threads", 1, "--batch", 256, "--memory", 100000)
    clients = fill(server, 8)
    began = time.monotonic()
    assert server.stop().endswith("\ncatdog: stopped\n")
    assert time.monotonic() - began < 10
    for client in clients:
        client.close()


def test_a_second_signal_ends_it_at_once(pets):
    server = Server("--model", pets.model, "--batch", 1, "--threads", 1)
    clients = fill(server, 8)
    server.signal()
    time.sleep(0.3)
    assert server.process.poll() is None
    began = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    out, err = server.process.communicate(timeout=10)
    assert time.monotonic() - began < 1
    assert (server.process.returncode, out, err) == (0, "catdog: stopped\n", "")
    for client in clients:
        client.close()


@pytest.mark.parametrize("milliseconds", [0, 1, 3, 10, 30, 100])
def test_it_may_be_ended_at_any_moment(pets, milliseconds):
    server = Server("--model", pets.model)
    clients = [server.connect() for _ in range(20)]
    for client in clients:
        client.sendall(post(CAT) * 3)
    time.sleep(milliseconds / 1000)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 2
    for client in clients:
        client.close()


def ask_for_health(server):
    began = time.monotonic()
    assert server.get("/healthz").json == {"status": "ok"}
    return time.monotonic() - began


@pytest.mark.parametrize("data", [b"", b"GET /", post(b"", 10000)])
def test_crowds_of_idle_and_slow_clients_hold_up_nobody(pets, data):
    count = min(2000, os.sysconf("SC_OPEN_MAX") - 200)
    with serving("--model", pets.model) as server:
        crowd = []
        longest = 0
        for number in range(count):
            crowd.append(server.connect())
            if data:
                crowd[-1].sendall(data)
            if number % 100 == 0:
                longest = max(longest, ask_for_health(server))
        longest = max(longest, ask_for_health(server))
        began = time.monotonic()
        assert server.predict(("cat.jpg", CAT)).status == 200
        assert max(longest, time.monotonic() - began) < 1
        assert server.metrics()["catdog_connections"] <= 256
        for client in crowd:
            client.close()


def test_health_is_told_while_the_queue_is_full(pets):
    with serving("--model", pets.model, "--batch", 1, "--threads", 1, "--queue", 60) as server:
        clients = [send_many(server, 30)[0] for _ in range(8)]
        for _ in range(5):
            assert ask_for_health(server) < 1
        busy = clients[-1].recv(65536)
        assert busy.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in busy
        for client in clients:
            reset(client)


def test_an_upload_that_moves_is_kept_while_idle_ones_go(pets):
    photograph_and_more = CAT + bytes(80_000)
    with serving("--model", pets.model, "--connections", 8) as server:
        upload = server.connect()
        upload.sendall(post(b"", len(photograph_and_more)))
        crowd = []
        for start in range(0, len(photograph_and_more), 2000):
            upload.sendall(photograph_and_more[start:start + 2000])
            time.sleep(0.02)
            crowd.append(server.connect())
        assert upload.recv(65536).startswith(b"HTTP/1.1 200 ")
        for client in (upload, *crowd):
            client.close()


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
@pytest.mark.parametrize("interlaced", [False, True])
def test_decoding_keeps_to_its_memory(pets, interlaced):
    with serving("--model", pets.model, "--memory", 160, "--threads", 8, "--body", 4) as server:
        server.predict(*[("cat.jpg", CAT)] * 16)
        before = server.resident()
        photographs = [("bomb.png", bomb(3000, interlaced))] * 16  # 27 MB of pixels each, 63 MB if interlaced
        answers = server.predict(*photographs)
        assert answers.status in (200, 422)
        assert server.resident("VmHWM") - before < 110 << 20


def test_what_can_never_be_decoded_in_its_memory_is_refused(pets):
    progressive = encode(Image.new("RGB", (3000, 3000)), progressive=True, subsampling=0)
    with serving("--model", pets.model, "--memory", 64) as server:
        for large in (bomb(3000, True), progressive):
            response = server.predict(("large", large))
            assert response.status == 413 and "this server's limit is 24 MB" in response.json["predictions"][0]["error"]
        assert server.predict(("large", progressive), ("cat.jpg", CAT)).status == 200
        for large in (bomb(3000), encode(Image.new("RGB", (3000, 3000)))):  # decoded in parts
            assert server.predict(("large", large)).status == 200


@pytest.mark.parametrize("content", [SLOW, bombs.progressive(2500, 60, 0x11)], ids=["large", "many scans"])
def test_slow_photographs_do_not_hold_up_others(pets, content):
    with serving("--model", pets.model, "--threads", 1) as server:
        client, _ = send_many(server, 20, content)
        wait_until(lambda: server.metrics()["catdog_queue_depth"] > 10)  # they have come
        for _ in range(5):
            assert server.predict(("cat.jpg", CAT)).status == 200
        assert server.metrics()["catdog_queue_depth"] > 0
        reset(client)


def test_who_sends_many_keeps_nobody_else_waiting(pets):
    with serving("--model", pets.model, "--threads", 1) as server:
        client, _ = send_many(server, 20)
        wait_until(lambda: server.metrics()["catdog_queue_depth"] > 15)  # they have come
        assert server.predict(("slow.png", SLOW)).status == 200
        assert server.metrics()["catdog_queue_depth"] > 10
        reset(client)


SOAK = Path(__file__).parents[1] / "bench/soak_serve.py"


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_good_clients_among_bad_ones(pets):
    """Ten minutes of it are a command: see the script."""
    done = subprocess.run([sys.executable, SOAK, PROGRAM, "--model", pets.model, "--seconds", "6", "--good", "8", "--ends", "1",
                           "--slack", "1000"], capture_output=True, text=True, timeout=150)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
