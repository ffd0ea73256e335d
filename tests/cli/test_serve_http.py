"""catdog serve: requests that HTTP/1.1 doesn't allow, and those that pages of other origins have a browser send."""
import json

import pytest

from catdog import fails, photograph
from server import HAS_SERVE, encode, form, post, serving

pytestmark = pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd")

CAT = encode(photograph("cat", 7))


@pytest.fixture(scope="module")
def server(pets):
    with serving("--model", pets.model) as running:
        yield running


def request(*lines, line="POST /v1/predict HTTP/1.1", body=CAT, end="\r\n"):
    return end.join([line, *lines, "", ""]).encode("latin-1") + body


LENGTH = f"Content-Length: {len(CAT)}"
CHUNKED = b"%x\r\n" % len(CAT) + CAT + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("lines, body", [
    ((LENGTH,), CAT),
    ((LENGTH, "Cookie: a=b; c=d", "Accept:text/html", "X-Blanks:   three", "X-None:"), CAT),
    (("Transfer-Encoding: chunked",), CHUNKED),
    (("transfer-encoding: Chunked",), CHUNKED),
])
def test_what_http_allows_is_taken(server, lines, body):
    answer = server.exchange(request("Host: localhost", *lines, "Connection: close", body=body))
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"label":"Cat"' in answer


@pytest.mark.parametrize("lines, saying", [
    (("Host: localhost", LENGTH, LENGTH), "more than once"),
    (("Host: localhost", "Content-Length: 5", LENGTH), "more than once"),
    (("Host: localhost", LENGTH, "Transfer-Encoding: chunked"), "more than once"),
    (("Host: localhost", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "more than once"),
    (("Host: localhost", "Transfer-Encoding: gzip, chunked"), "is chunked"),
    (("Host: localhost", "Transfer-Encoding: identity", ), "is chunked"),
    (("Host: localhost", "Transfer-Encoding : chunked"), "violates HTTP/1.1"),
    (("Host: localhost", "Content-Length : 5"), "violates HTTP/1.1"),
    (("Host: localhost", LENGTH, "X: folded", " on"), "violates HTTP/1.1"),
    (("Host: localhost", LENGTH, "X: folded", "\ton", "Y: more"), "violates HTTP/1.1"),
    (("Host: localhost", "X:", " folded", LENGTH), "violates HTTP/1.1"),
    (("Host:localhost", "A:b", "B:c", "C:d", "X:folded", " on", LENGTH), "violates HTTP/1.1"),
    (("Host: localhost", "X: a\0b", LENGTH), "violates HTTP/1.1"),
    (("Host: localhost", LENGTH + "\0, 5"), "violates HTTP/1.1"),
    (("Host: localhost", "X: a\x01b", LENGTH), "violates HTTP/1.1"),
    (("Host: localhost", "X(Y): a", LENGTH), "violates HTTP/1.1"),
    (("Host: localhost", "Host: localhost", LENGTH), "more than one Host"),
    (("Host: localhost", "host: other", LENGTH), "more than one Host"),
    ((LENGTH,), "no Host header"),
    (("Host: localhost", "Origin: http://localhost", "Origin: http://localhost", LENGTH), "more than one Origin"),
])
def test_what_may_be_read_in_two_ways_is_refused_and_the_connection_closed(server, lines, saying):
    answer = server.exchange(request(*lines) + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"\nDate: ") == 1, answer
    assert saying in json.loads(answer.split(b"\r\n\r\n")[1])["error"]


@pytest.mark.parametrize("data", [
    request("Host: localhost", " First: folded", LENGTH),
    request("Host: localhost", "X\0Y: a", LENGTH),
    request("Host: localhost", line="GET /healthz HTTP/1.1", end="\n", body=b""),
    request("Host: localhost", line="GET /health%00z HTTP/1.1", body=b""),
    request("Host: localhost", line="GET /healthz%00 HTTP/1.1", body=b""),
    request("Host: localhost", line="GET /healthz?a=%00 HTTP/1.1", body=b""),
    request("Host: localhost", line="G\0ET /healthz HTTP/1.1", body=b""),
    request("Host: localhost", line="GET /healthz\0 HTTP/1.1", body=b""),
    request(line="GET /healthz HTTP/1.1", body=b""),
    request(line="GET /healthz HTTP/1.2", body=b""),
    request("Host: localhost", line="GET /health z HTTP/1.1", body=b""),
    request("Host: localhost", line="GET /healthz  HTTP/1.1", body=b""),
    request("Host: localhost", "Content-Length: -1"),
    request("Host: localhost", "Content-Length: +5"),
    request("Host: localhost", "Content-Length: 5, 5"),
    request("Host: localhost", "Content-Length: 0x5"),
    request("Host: localhost", "Transfer-Encoding: chunked", body=b"0x5\r\nabcde\r\n0\r\n\r\n"),
])
def test_broken_heads_are_refused(server, data):
    """Some of them by libmicrohttpd itself, in its own words."""
    answer = server.exchange(data + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b"HTTP/1.1 200" not in answer, answer


@pytest.mark.parametrize("host, port", [("127.0.0.1", True), ("localhost", True), ("LocalHost", False), ("[::1]", True),
                                        ("192.168.1.5", False), ("pets.example.org", False), ("PETS.local", True)])
def test_it_is_reached_by_addresses_and_by_its_names(named, host, port):
    name = f"{host}:{named.port}" if port else host
    assert named.request("GET", "/healthz", headers={"Host": name}).status == 200


@pytest.fixture(scope="module")
def named(pets):
    with serving("--model", pets.model, "--host", "pets.example.org,pets.local",
                 "--allow-origin", "https://app.example.org,http://localhost:3000") as running:
        yield running


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "127.0.0.1:80@evil.example", "127.0.0.1:x", "[::1].evil.example", "pets.example.org.evil", "example.org",
                                  "pets.example.org,pets.local", "1", ""])
@pytest.mark.parametrize("method, path", [("GET", "/"), ("GET", "/v1/model"), ("POST", "/v1/predict")])
def test_a_name_that_somebody_else_lets_lead_here_is_refused(named, host, method, path):
    response = named.request(method, path, CAT if method == "POST" else None, {"Host": host})
    assert (response.status, response.headers["Connection"]) == (421, "close")
    assert "--host" in response.json["error"]


@pytest.mark.parametrize("headers, status", [
    ({}, 200),
    ({"Origin": "http://127.0.0.1:{port}"}, 200),
    ({"Origin": "https://pets.example.org", "Host": "pets.example.org"}, 200),
    ({"Origin": "https://behind.a.proxy", "Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Origin": "https://app.example.org"}, 200),
    ({"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"}, 200),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Origin": "http://127.0.0.1:{port}.evil.example"}, 403),
    ({"Origin": "http://evil.example/127.0.0.1:{port}"}, 403),
    ({"Origin": "https://app.example.org.evil"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"}, 403),
])
def test_pages_of_elsewhere_may_not_have_photographs_classified(named, headers, status):
    headers = {name: value.format(port=named.port) for name, value in headers.items()}
    before = named.metrics()["catdog_batch_photographs_total"]
    for body, kind in ((CAT, "text/plain"), form(("cat.jpg", CAT)), (CAT, "image/jpeg")):
        if status == 403 or kind != "text/plain":
            response = named.request("POST", "/v1/predict", body, {"Content-Type": kind, **headers})
            assert response.status == status, response.json
    assert (named.metrics()["catdog_batch_photographs_total"] > before) == (status == 200)


def test_a_page_that_is_allowed_can_read_the_answers(named):
    origin = {"Origin": "https://app.example.org"}
    asked = named.request("OPTIONS", "/v1/predict", headers={**origin, "Access-Control-Request-Method": "POST",
                                                             "Access-Control-Request-Headers": "content-type"})
    assert (asked.status, asked.body) == (204, b"")
    assert asked.headers["Access-Control-Allow-Methods"] == "POST"
    assert asked.headers["Access-Control-Allow-Headers"] == "Content-Type"
    for response in (asked, named.request("POST", "/v1/predict", CAT, {"Content-Type": "image/jpeg", **origin}),
                     named.request("GET", "/v1/model", headers=origin)):
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert response.headers["Vary"] == "Origin"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    evil = {"Origin": "https://evil.example"}
    assert named.request("OPTIONS", "/v1/predict", headers=evil).status == 405
    response = named.request("GET", "/v1/model", headers=evil)
    assert "Access-Control-Allow-Origin" not in response.headers and response.headers["Vary"] == "Origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("options", [("--host", "http://pets"), ("--host", "pets:80"), ("--host", ","), ("--host", "a b"), ("--host", "*"),
                                     ("--host", "*.example.org"), ("--allow-origin", "https://*.example.org"),
                                     ("--allow-origin", "pets.example.org"), ("--allow-origin", "https://"),
                                     ("--allow-origin", "https://a/b"), ("--allow-origin", "*"),
                                     ("--allow-origin", "https://a,b")])
def test_names_and_origins_that_are_none_are_refused(pets, options):
    fails(2, "serve", "--model", pets.model, *options, saying=f"serve: {options[0]} takes ")


@pytest.mark.parametrize("address, status", [
    ("http://localhost/healthz", 200), ("HTTP://LocalHost/healthz?x=/", 200), ("https://localhost/healthz", 200),
    ("http://localhost", 200), ("http://localhost/nothing", 404), ("http://evil.example/healthz", 400),
    ("http://localhost:1/healthz", 400), ("http://localhost.evil/healthz", 400), ("ftp://localhost/healthz", 404),
])
def test_an_address_may_have_the_host_before_it(server, address, status):
    answer = server.exchange(request("Host: localhost", "Connection: close", line=f"GET {address} HTTP/1.1", body=b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer


@pytest.mark.parametrize("version, keeps", [("HTTP/1.1", True), ("HTTP/1.0", False)])
def test_old_clients_are_served_and_their_connection_closed(server, version, keeps):
    line = request("Host: localhost", line=f"GET /healthz {version}", body=b"")
    last = request("Host: localhost", "Connection: close", line=f"GET /healthz {version}", body=b"")
    assert server.exchange(line + last).count(b'{"status":"ok"}') == (2 if keeps else 1)
    if not keeps:
        assert b'{"status":"ok"}' in server.exchange(request(line=f"GET /healthz {version}", body=b""))


def test_requests_that_are_sent_at_once_are_answered_in_their_order(server):
    some = [post(CAT), request("Host: localhost", line="GET /healthz HTTP/1.1", body=b""), post(b"?"),
            request("Host: localhost", "Connection: close", line="GET /nothing HTTP/1.1", body=b"")]
    answer = server.exchange(b"".join(some))
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"422", b"404"]


def test_a_client_that_asks_first_is_told_to_go_on(server):
    with server.connect() as connection:
        connection.sendall(request("Host: localhost", LENGTH, "Expect: 100-continue", "Connection: close", body=b""))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CAT)
        assert b'"label":"Cat"' in b"".join(iter(lambda: connection.recv(65536), b""))
