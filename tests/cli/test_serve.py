"""catdog serve: its API, its limits, clients that are slow or broken, and its end."""
import json
import os
import re
import resource
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from catdog import SANITIZED, as_json, fails, photograph, succeeds
from server import HAS_SERVE, Server, encode, form, post, read_all, serving

pytestmark = pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd")


CAT, DOG = (encode(photograph(kind, 7)) for kind in ("cat", "dog"))


@pytest.fixture(scope="module")
def server(pets):
    with serving("--model", pets.model) as running:
        yield running


@pytest.fixture(scope="module")
def slow_photograph():
    """Small to send, and long to decode."""
    return encode(Image.new("RGB", (3500, 3500)), "PNG")


@pytest.fixture(scope="module")
def brief_photograph(pets, slow_photograph):
    """One that takes about a tenth of a second here and now: a server that ends has seven seconds for all."""
    with serving("--model", pets.model, "--batch", 1, "--threads", 1) as server:
        server.predict(("slow.png", slow_photograph))  # the first is slower
        start = time.monotonic()
        server.predict(("slow.png", slow_photograph))
        seconds = time.monotonic() - start
    side = int(3500 * min(0.1 / seconds, 1) ** 0.5)
    return encode(Image.new("RGB", (side, side)), "PNG")


def wait_until(true, seconds=20):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "that never happened"
        time.sleep(0.01)


def test_a_form_with_several_photographs_is_answered_in_its_order(server):
    response = server.predict(("cat.jpg", CAT), ("C:\\My Pictures\\dög.jpg", DOG), ("/etc/passwd", b"root:x:0:0\n"))
    assert response.status == 200
    cat, dog, text = response.json["predictions"]
    assert (cat["name"], cat["label"]) == ("cat.jpg", "Cat")
    assert (dog["name"], dog["label"]) == ("dög.jpg", "Dog")
    assert cat["confidence"] > 0.5 and [c["label"] for c in cat["candidates"]] == ["Cat", "Dog"]
    assert text == {"name": "passwd", "error": "is text, not JPEG or PNG"}


def test_the_body_may_be_one_photograph_and_is_told_as_by_predict(server, pets, tmp_path):
    (tmp_path / "cat.jpg").write_bytes(CAT)
    expected = as_json("predict", "--model", pets.model, "--json", tmp_path / "cat.jpg")
    for headers in ({"Content-Type": "image/jpeg"}, {"Content-Type": "Application/Octet-Stream"}, {}):
        [answer] = server.request("POST", "/v1/predict", CAT, headers).json["predictions"]
        assert (answer["label"], "name" in answer) == (expected["label"], False)
        assert answer["confidence"] == pytest.approx(expected["confidence"], abs=1e-5)


def test_a_body_whose_length_is_not_known_is_taken_up_to_the_limit(pets):
    with serving("--model", pets.model, "--body", 1) as server:
        headers = {"Content-Type": "image/jpeg"}
        assert server.request("POST", "/v1/predict", iter([CAT[:50], CAT[50:]]), headers).status == 200
        assert server.request("POST", "/v1/predict", iter(20 * [bytes(1 << 16)]), headers).status == 413
        with pytest.raises(OSError):
            server.request("POST", "/v1/predict", iter(1000 * [bytes(1 << 16)]), headers)
        assert server.metrics()["catdog_held_bytes"] == 0


def test_a_heat_map_comes_if_it_is_wanted(server):
    response = server.predict(("cat.jpg", CAT), ("bad", b"?"), ("dog.jpg", DOG), query="?heat_map=1")
    cat, bad, dog = response.json["predictions"]
    values = [value for row in cat["heat_map"] for value in row]
    assert len(values) > 1 and max(values) in (0, 1) and min(values) >= 0
    assert len(dog["heat_map"]) == len(cat["heat_map"]) and "heat_map" not in bad
    assert "heat_map" in server.predict(("cat.jpg", CAT), query="?heat_map").json["predictions"][0]
    [plain] = server.predict(("cat.jpg", CAT), query="?heat_map=0").json["predictions"]
    assert "heat_map" not in plain and plain["confidence"] == cat["confidence"]


def test_a_model_that_has_no_heat_maps_classifies_without(pets, tmp_path):
    small = tmp_path / "small.safetensors"
    succeeds("quantize", "--model", pets.model, "--data", pets.data, "--out", small)
    with serving("--model", small) as server:
        response = server.predict(("cat.jpg", CAT), ("dog.jpg", DOG), query="?heat_map=1")
        answers = response.json["predictions"]
        assert [(a["label"], "heat_map" in a) for a in answers] == [("Cat", False), ("Dog", False)]


def test_the_model_is_described(server, pets):
    model = server.get("/v1/model").json
    assert (model["name"], model["classes"]) == (pets.model.name, ["Cat", "Dog"])
    assert model["input"] == {"width": 16, "height": 16, "fit": "stretch"}
    assert model["limits"]["photographs"] == 32


def test_the_page_is_there_and_its_parts_are_kept_by_the_browser(server):
    page = server.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for part in re.findall(rb'(?:src|href)="([^"]+)"', page.body):
        response = server.get("/" + part.decode())
        assert response.status == 200 and response.body
        again = server.request("GET", "/" + part.decode(), headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
    head = server.request("HEAD", "/")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(page.body)))


@pytest.mark.parametrize("path", ["/", "/page.js", "/v1/model", "/healthz", "/metrics", "/nothing"])
def test_every_answer_has_the_headers_that_keep_a_page_safe(server, path):
    headers = server.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("method, path, body, headers, status, saying", [
    ("GET", "/nothing", None, {}, 404, "nothing at this address"),
    ("GET", "/../page.css", None, {}, 404, "nothing at this address"),
    ("POST", "/nothing", CAT, {}, 404, "nothing at this address"),
    ("GET", "/v1/predict", None, {}, 405, "only takes POST"),
    ("DELETE", "/healthz", None, {}, 405, "only takes GET and HEAD"),
    ("POST", "/", CAT, {}, 405, "only takes GET and HEAD"),
    ("POST", "/v1/predict", None, {}, 400, "no body"),
    ("POST", "/v1/predict", CAT, {"Content-Type": "application/x-www-form-urlencoded"}, 415, "multipart/form-data"),
    ("POST", "/v1/predict", b"{}", {"Content-Type": "application/json"}, 415, "multipart/form-data"),
    ("POST", "/v1/predict", *form(("a", CAT))[:1], {"Content-Type": "multipart/form-dataX; boundary=frontier"}, 415, "multipart/form-data"),
    ("POST", "/v1/predict", CAT, {"Content-Type": "application/octet-streamX"}, 415, "multipart/form-data"),
    ("POST", "/v1/predict", b"x", {"Content-Type": "multipart/form-data"}, 400, "no boundary"),
    ("POST", "/v1/predict", b"nonsense", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "form"),
    ("POST", "/v1/predict", form(("a", CAT))[0][:-30], {"Content-Type": form()[1]}, 400, "is incomplete"),
    ("POST", "/v1/predict", form()[0], {"Content-Type": form()[1]}, 400, "form"),
    ("POST", "/v1/predict", b"GIF89a" + bytes(50), {"Content-Type": "image/gif"}, 422, "can't be classified"),
])
def test_what_is_wrong_with_a_request_is_said_in_a_sentence(server, method, path, body, headers, status, saying):
    response = server.request(method, path, body, headers)
    assert (response.status, saying in response.json["error"]) == (status, True), response.json
    assert status != 405 or response.headers["Allow"] in ("POST", "GET, HEAD")


def test_photographs_that_cannot_be_used_are_refused_each_with_its_reason(server):
    cut = CAT[:len(CAT) // 2]
    response = server.predict(("cut.jpg", cut), ("empty.jpg", b""), ("gif.jpg", b"GIF89a" + bytes(50)))
    assert response.status == 422
    assert response.json["error"] == "none of the photographs can be classified"
    reasons = [answer["error"] for answer in response.json["predictions"]]
    assert "truncated" in reasons[0] or "ends" in reasons[0], reasons
    assert reasons[1] == "is empty" and "GIF" in reasons[2]


def test_names_of_files_come_back_as_text_whatever_they_are(server):
    for name in ('<img src=x onerror="alert(1)">', "a\x01b", "\udcff\udcfe", "n" * 1000, "日本.jpg"):
        body, kind = form(("NAME", CAT))
        body = body.replace(b"NAME", name.replace('"', "%22").encode(errors="surrogateescape"))
        response = server.request("POST", "/v1/predict", body, {"Content-Type": kind})
        assert response.status == 200
        assert len(response.json["predictions"][0]["name"]) <= 255


def test_limits_are_kept(pets):
    with serving("--model", pets.model, "--body", 1, "--photos", 2, "--max-pixels", 1000000) as server:
        for size in (1 << 20) + 1, 10 << 20:  # one that is read to its end, and one that isn't
            with server.connect() as connection:
                connection.sendall(post(b"", size))
                threading.Thread(target=send_quietly, args=(connection, bytes(size)), daemon=True).start()
                answer = read_head_and_body(connection)
            assert b" 413 " in answer and b"limit of 1 MB" in answer
        asked = server.request("POST", "/v1/predict", None, {"Content-Length": str(2 << 20), "Expect": "100-continue"})
        assert asked.status == 413
        assert server.predict(*[("a", CAT)] * 3).status == 413
        large = server.predict(("small.jpg", CAT), ("large.png", encode(Image.new("RGB", (1200, 1000)), "PNG")))
        assert large.status == 200
        assert "is 1200 x 1000 pixels; this server's limit is 1 megapixels" in large.json["predictions"][1]["error"]


def send_quietly(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass


def read_head_and_body(connection):
    received = b""
    while b"}" not in received:
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def test_too_many_bytes_at_once_are_refused_for_a_while(pets):
    with serving("--model", pets.model, "--memory", 2) as server:
        response = server.predict(("large", CAT + bytes(2 << 20)))
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert server.predict(("cat.jpg", CAT)).status == 200
        assert server.metrics()["catdog_held_bytes"] == 0


def test_a_full_queue_says_so_and_all_that_it_took_is_answered(pets, slow_photograph):
    with serving("--model", pets.model, "--queue", 2, "--batch", 1, "--threads", 1) as server:
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda _: server.predict(("slow.png", slow_photograph)), range(8)))
        assert {answer.status for answer in answers} == {200, 503}
        for answer in answers:
            assert answer.status == 200 or (answer.json["error"].startswith("the server is busy") and
                                            answer.headers["Retry-After"] == "1")
        metrics = server.metrics()
        served = sum(answer.status == 200 for answer in answers)
        assert metrics['catdog_requests_total{code="200"}'] == served
        assert metrics['catdog_requests_total{code="503"}'] == 8 - served
        assert metrics["catdog_queue_depth"] == 0


def test_requests_of_many_clients_share_batches(server):
    before = server.metrics()
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda i: server.predict((f"{i}.jpg", (CAT, DOG)[i % 2])), range(64)))
    for i, answer in enumerate(answers):
        assert (answer.status, answer.json["predictions"][0]["label"]) == (200, ("Cat", "Dog")[i % 2])
    after = server.metrics()
    assert after["catdog_batch_photographs_total"] - before["catdog_batch_photographs_total"] == 64
    assert after["catdog_batches_total"] - before["catdog_batches_total"] <= 64


def test_a_connection_serves_one_request_after_another(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(post(CAT))
            assert b'"label":"Cat"' in read_head_and_body_of_predictions(connection)


def read_head_and_body_of_predictions(connection):
    received = b""
    while not received.endswith(b"]}]}"):
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def test_metrics_are_in_prometheus_format(server):
    server.predict(("cat.jpg", CAT))
    response = server.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names, typed = set(), set()
    for line in response.body.decode().splitlines():
        if line.startswith("# "):
            kind, name, text = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line).groups()
            if kind == "TYPE":
                assert text in ("counter", "gauge", "histogram") and name not in typed
                typed.add(name)
        else:
            sample = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"\})? ([0-9.]+)', line)
            assert sample, line
            names.add(re.sub("_(bucket|sum|count)$", "", sample.group(1)))
    assert names == typed
    metrics = server.metrics()
    buckets = [value for name, value in metrics.items() if "_bucket" in name]
    assert buckets == sorted(buckets) and buckets[-1] == metrics["catdog_predict_duration_seconds_count"] > 0
    assert metrics["catdog_predict_duration_seconds_sum"] > 0


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200),
                                     b"\0" * 5000, b"GET " + b"/" * 200000, b"GET / HTTP/9.9\r\n\r\n",
                                     b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                                     b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n"
                                     b"\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n"])
def test_garbage_does_no_harm(server, garbage):
    with server.connect() as connection:
        send_quietly(connection, garbage)
        try:
            connection.shutdown(1)
        except OSError:
            pass
        assert b" 200 " not in read_all(connection)
    assert server.get("/healthz").json == {"status": "ok"}


def test_bodies_that_end_half_way_are_dropped(server):
    before = server.metrics()["catdog_requests_dropped_total"]
    body, kind = form(("cat.jpg", CAT))
    for request in (post(CAT[:100], len(CAT)), f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:200]):
        with server.connect() as connection:
            connection.sendall(request)
    wait_until(lambda: server.metrics()["catdog_requests_dropped_total"] == before + 2)
    wait_until(lambda: server.metrics()["catdog_held_bytes"] == 0)


def test_slow_clients_are_dropped_and_hold_up_nobody(pets):
    with serving("--model", pets.model, "--request-time", 1, "--idle-time", 10, "--connections", 12) as server:
        slow = [server.connect() for _ in range(10)]
        until = time.monotonic() + 10
        for connection in slow[5:]:
            connection.sendall(post(b"", 10000))  # the head; the body drips
        dropped = set()
        while len(dropped) < 10:
            assert time.monotonic() < until, "slow clients are still there"
            for number, connection in enumerate(slow):
                try:
                    connection.sendall(b"G" if number < 5 else b"\xff")
                except OSError:
                    dropped.add(number)
            assert server.predict(("cat.jpg", CAT)).status == 200
            time.sleep(0.1)


def test_when_all_connections_are_taken_slow_ones_make_room(pets):
    with serving("--model", pets.model, "--connections", 2, "--request-time", 2, "--idle-time", 60) as server:
        slow = [server.connect() for _ in range(2)]
        for connection in slow:
            connection.sendall(b"GET / HT")
        assert server.get("/healthz").status == 200


def test_a_client_that_says_nothing_is_dropped(pets):
    with serving("--model", pets.model, "--idle-time", 1) as server, server.connect() as connection:
        assert connection.recv(1) == b""


def test_a_client_that_goes_away_before_its_answer_leaves_nothing_behind(pets, slow_photograph):
    with serving("--model", pets.model) as server:
        with server.connect() as connection:
            connection.sendall(post(slow_photograph))
        wait_until(lambda: server.metrics()["catdog_requests_dropped_total"] == 1)
        wait_until(lambda: server.metrics()["catdog_held_bytes"] == 0)
        assert server.predict(("cat.jpg", CAT)).status == 200


def wait_until_taken(server, photographs):
    """All but the one that is being classified are counted: as waiting, or in batches."""
    def taken():
        metrics = server.metrics()
        return metrics["catdog_queue_depth"] + metrics["catdog_batch_photographs_total"]

    wait_until(lambda: taken() >= photographs - 1)


def test_the_end_waits_for_what_was_accepted(pets, brief_photograph):
    with serving("--model", pets.model, "--batch", 1, "--threads", 1) as server:
        half = server.connect()
        half.sendall(post(CAT)[:-100])
        wait_until(lambda: server.metrics()["catdog_held_bytes"] > 0)
        with ThreadPoolExecutor(4) as clients:
            answers = [clients.submit(server.predict, *3 * [("slow.png", brief_photograph)]) for _ in range(4)]
            wait_until_taken(server, 12)
            server.signal()
            half.sendall(CAT[-100:])
            assert b'"label":"Cat"' in read_all(half)
            assert [answer.result().status for answer in answers] == [200] * 4
        assert server.stop().splitlines()[1:] == ["catdog: stopped"]


def test_the_end_finishes_the_oldest_requests_first(pets, brief_photograph):
    """By turns, all of them would be half done when the time is over."""
    with serving("--model", pets.model, "--batch", 1, "--threads", 1) as server, ThreadPoolExecutor(3) as clients:
        def answered_at(_):
            assert server.predict(*6 * [("slow.png", brief_photograph)]).status == 200
            return time.monotonic()

        times = [clients.submit(answered_at, None) for _ in range(3)]
        wait_until_taken(server, 18)
        start = time.monotonic()
        server.signal()
        first, _, last = sorted(future.result() - start for future in times)
        assert first < 2 / 3 * last


def test_while_it_ends_new_clients_are_told_so(pets, brief_photograph):
    with serving("--model", pets.model, "--batch", 1, "--threads", 1) as server, ThreadPoolExecutor(1) as clients:
        late = server.connect()
        accepted = clients.submit(server.predict, *12 * [("slow.png", brief_photograph)])
        wait_until_taken(server, 12)
        server.signal()
        wait_until(lambda: server.get("/healthz").status == 503)
        assert server.get("/healthz").json == {"status": "stopping"}
        refused = server.predict(("cat.jpg", CAT))
        assert (refused.status, refused.json["error"]) == (503, "the server is stopping")
        late.sendall(post(CAT))
        assert b" 503 " in read_all(late)
        assert accepted.result().status == 200


def test_nothing_is_written_but_two_lines(pets, tmp_path):
    server = Server("--model", pets.model, cwd=tmp_path)
    server.predict(("secret-name.jpg", CAT), ("bad", b"secret"))
    server.get("/secret-path")
    out = server.stop()
    assert out == f"catdog: serving pets.safetensors at {server.url} - press Ctrl-C to stop\ncatdog: stopped\n"
    assert list(tmp_path.iterdir()) == []


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, 1000))


def test_a_port_that_is_taken_is_an_error(server, pets):
    fails(1, "serve", "--model", pets.model, "--port", server.port, saying="choose another port with --port")
    for address in "example.org", "localhost", "999.1.1.1":
        fails(2, "serve", "--model", pets.model, "--bind", address, saying="--bind takes an address")
    fails(1, "serve", "--model", "/no/such/model", saying="/no/such/model")
    fails(1, "serve", "--model", pets.model, "--port", 0, "--connections", 65536, saying="ulimit -n", preexec_fn=few_files)
    fails(2, "serve", "--port", "70000", saying="--port takes a whole number from 0 to 65535")


def test_it_is_reached_by_ipv6_too(pets):
    try:
        with serving("--model", pets.model, "--bind", "::1") as server:
            assert server.first_line.split()[4].startswith("http://[::1]:")
    except AttributeError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_memory_does_not_grow_with_requests(server):
    def resident():
        with open(f"/proc/{server.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def ask(_):
        server.predict(("cat.jpg", CAT), ("long", CAT + bytes(300000)), query="?heat_map=1")

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask, range(64)))
        before = resident()
        list(clients.map(ask, range(200)))
    assert resident() - before < 8 << 20


DOCS = (Path(__file__).parents[2] / "docs/serve.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("catdog serve")])
def test_the_docs_start_it_rightly(pets, command):
    options = command.replace("pets.safetensors", str(pets.model)).split()[2:]
    options = ["127.0.0.1" if option == "0.0.0.0" else option for option in options]
    with serving(*options, "--port", 0) as server:
        assert server.get("/healthz").status == 200


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("curl ")])
def test_the_docs_talk_to_it_rightly(server, tmp_path, command):
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    for name, data in (("cat.jpg", CAT), ("dog.jpg", DOG), ("notes.txt", b"A note.\n")):
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(command.replace("http://127.0.0.1:8080/", server.url) + " --fail", shell=True, cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    if "/metrics" not in command:
        json.loads(done.stdout)
