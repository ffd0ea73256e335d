"""catdog serve: the forms of all kinds of clients (RFC 7578), and what forms may be made to do."""
import random
import time

import pytest

from catdog import photograph
from server import HAS_SERVE, encode, post, serving

pytestmark = pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd")

CAT, DOG = (encode(photograph(kind, 7)) for kind in ("cat", "dog"))


@pytest.fixture(scope="module")
def server(pets):
    with serving("--model", pets.model) as running:
        yield running


def send(server, body, kind="multipart/form-data; boundary=XB"):
    return server.request("POST", "/v1/predict", body, {"Content-Type": kind})


def part(disposition, content=CAT, boundary="--XB", end=b"\r\n"):
    head = f"{boundary}\nContent-Disposition: form-data; {disposition}\n\n"
    return head.encode("utf-8", "surrogateescape").replace(b"\n", end) + content + end


def labels(response):
    assert response.status == 200, response.json
    return [(answer.get("name"), answer.get("label", "-")) for answer in response.json["predictions"]]


@pytest.mark.parametrize("disposition, name", [
    ('name="a"; filename="cat.jpg"', "cat.jpg"),
    ("name=a; filename=cat.jpg", "cat.jpg"),
    ("name=a;filename=cat.jpg;x=y", "cat.jpg"),
    ("name=a; filename=my cat.jpg ", "my cat.jpg"),
    ('name="a" ; filename = "cat.jpg" ; size=5', "cat.jpg"),
    ("name=a; FileName=cat.jpg", "cat.jpg"),
    ("name=a; filename*=UTF-8''caf%C3%A9.jpg", "café.jpg"),
    ("name=a; filename*=utf-8'en'%e2%82%ac.jpg", "€.jpg"),
    ("filename=old.jpg; filename*=UTF-8''caf%C3%A9.jpg; name=a", "café.jpg"),
    ("filename*=nonsense; filename=cat.jpg", "cat.jpg"),
    ("name=a; filename*=UTF-8''100%.jpg%0", "100%.jpg%0"),
    ("name=a; filename*=UTF-8''a%00b.jpg", "a?b.jpg"),
    (r'name=a; filename="a\"b;c.jpg"', 'a"b;c.jpg'),
    (r'name=a; filename="C:\My Pictures\cat.jpg"', "cat.jpg"),
    ('name="; filename=no.jpg"; filename=yes.jpg', "yes.jpg"),
    ('name=a; filename="x.jpg', "x.jpg"),
    ('name=a; filename="../../etc/passwd"', "passwd"),
    ('name=a; filename="a%22b%0d%0Ac%41%.jpg"', 'a"b\r\nc%41%.jpg'),
    ('name=a;\n filename="folded.jpg"', "folded.jpg"),
    ('name=a; filename="a.jpg"\nContent-Type: image/jpeg\nX: y', "a.jpg"),
    ('name=a; filename="\udcff.jpg"', "\ufffd.jpg"),
])
def test_names_of_files_are_understood_however_they_are_written(server, disposition, name):
    assert labels(send(server, part(disposition) + b"--XB--\r\n")) == [(name, "Cat")]


@pytest.mark.parametrize("kind, boundary", [
    ("multipart/form-data; boundary=XB; charset=UTF-8", "XB"),
    ("multipart/form-data; charset=UTF-8; boundary=XB", "XB"),
    ("multipart/form-data; Boundary=XB", "XB"),
    ("Multipart/Form-Data; BOUNDARY=XB", "XB"),
    ('multipart/form-data; boundary="XB"', "XB"),
    ('multipart/form-data; boundary="a (b);c, d/e:f=?"', "a (b);c, d/e:f=?"),
    ("multipart/form-data;boundary=XB", "XB"),
    ("multipart/form-data ; x=\"; boundary=no\"; boundary = XB ;", "XB"),
    (f"multipart/form-data; boundary={'-' * 70}", "-" * 70),
    ("multipart/form-data; boundary=----WebKitFormBoundaryAbC123", "----WebKitFormBoundaryAbC123"),
])
def test_boundaries_are_understood(server, kind, boundary):
    body = part("filename=a.jpg", boundary="--" + boundary) + part("filename=b.jpg", DOG, "--" + boundary)
    assert labels(send(server, body + f"--{boundary}--\r\n".encode(), kind)) == [("a.jpg", "Cat"), ("b.jpg", "Dog")]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""',
                                  "multipart/form-data; boundary", f"multipart/form-data; boundary={'b' * 71}",
                                  "multipart/form-data; xboundary=XB"])
def test_without_a_boundary_a_form_is_refused(server, kind):
    response = send(server, part("filename=a.jpg") + b"--XB--\r\n", kind)
    assert response.status == 400 and "no boundary" in response.json["error"]


WHOLE = part("filename=a.jpg") + b"--XB--"


@pytest.mark.parametrize("body", [
    WHOLE,
    WHOLE + b"\r\n",
    WHOLE + b"  \r\nAn epilogue.\r\n--XB\r\nthat nobody reads\r\n--XB--\r\n",
    b"A preamble.\r\n" + WHOLE,
    b"A preamble that mentions --XB\r\n--XBut not so\r\n--XB- neither\r\n" + WHOLE,
    b"\r\n" + WHOLE,
    WHOLE.replace(b"--XB\r\n", b"--XB \t \r\n"),
    part("filename=a.jpg", end=b"\n") + b"--XB--\n",
    b"--XB\r\nContent-Type: image/jpeg\r\ncontent-disposition: form-data; filename=a.jpg\r\n\r\n" + CAT + b"\r\n--XB--",
    b"--XB\r\nContent-Disposition : form-data; filename=a.jpg\r\n\r\n" + CAT + b"\r\n--XB--",
    part("name=comment", b"two cats") + part("name=empty", b"") + part('name=none; filename=""', b"") + WHOLE,
    b"--XB\r\nContent-Disposition: form-data; name=nothing\r\n\r\n" + WHOLE,
    b"--XB\r\n\r\nno head at all\r\n" + WHOLE,
])
def test_what_stands_around_the_parts_does_not_matter(server, body):
    assert labels(send(server, body)) == [("a.jpg", "Cat")]


def test_a_file_without_a_name_counts_if_there_is_something_in_it(server):
    assert labels(send(server, part('name=a; filename=""') + b"--XB--")) == [("", "Cat")]


def test_an_empty_file_is_one(server):
    body = part("filename=empty.jpg", b"") + part("filename=a.jpg") + b"--XB--"
    assert labels(send(server, body)) == [("empty.jpg", "-"), ("a.jpg", "Cat")]


@pytest.mark.parametrize("body, saying", [
    (WHOLE[:-2], "incomplete"),
    (WHOLE[:-1], "incomplete"),
    (b"--XB", "incomplete"),
    (b"--XB--", "the form has no file"),
    (b"--XB--\r\n", "the form has no file"),
    (part("name=a", b"text") + b"--XB--", "the form has no file"),
    (b"--XB\r\nContent-Disposition: attachment\r\n\r\nx\r\n--XB--", "the form has no file"),
    (b"--XB\r\nContent-Disposition: form-data; filename=a" + b"a" * 20000 + b"\r\n\r\n", "does not end"),
    (b"--XC\r\n" + CAT, "incomplete"),
])
def test_forms_that_are_none_are_refused(server, body, saying):
    response = send(server, body)
    assert response.status == 400 and saying in response.json["error"], response.json


def test_a_form_of_very_many_parts_is_refused(server):
    response = send(server, part("name=a", b"") * 200 + WHOLE)
    assert response.status == 413 and "more than 132 parts" in response.json["error"]


@pytest.mark.parametrize("seed", range(20))
def test_content_that_looks_like_boundaries_stays_as_it_is(server, seed):
    """The sizes of text files tell what arrived: the same bytes in pieces of any size."""
    draw = random.Random(seed)
    pieces = [b"\r\n", b"\n", b"\r", b"--XB", b"-", b"--", b"XB", b"\r\n--X", b"\r\n--XBC", b"\n--XB\r\n", b"\n--XB--",
              b"\r\n--XB-\r\n", b"\r\r\n--XC\r\n", b"a", b"\0"]
    content = b"".join(draw.choices(pieces, k=60)).replace(b"\r\n--XB\r", b"\r\n--XD\r").replace(b"\r\n--XB--", b"\r\n--XE")
    body = part("filename=t", content + DOG) + part("filename=c", CAT + content) + b"--XB--"
    with server.connect() as connection:
        head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=XB\r\n" \
               f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        while body:
            size = draw.choice((1, 2, 3, 5, 100, 10000))
            connection.sendall(body[:size])
            body = body[size:]
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'"name":"t","error"' in answer and b'"name":"c","label":"Cat"' in answer, answer


@pytest.mark.parametrize("body", [b"-" * 10_000_000 + b"\r\n" + WHOLE, b"\n" * 10_000_000 + WHOLE, b"\r\n--X" * 2_000_000 + b"\r\n" + WHOLE,
                                  b"\n--XB?" * 1_700_000 + b"\r\n" + WHOLE, part("name=a", b"\r\n--XB x" * 1_200_000) + WHOLE])
def test_ten_megabytes_of_nothing_are_passed_over_quickly(server, body):
    began = time.monotonic()
    assert labels(send(server, body)) == [("a.jpg", "Cat")]
    assert time.monotonic() - began < 2


def test_three_photographs_at_once_are_classified_and_three_clients_too(pets):
    with serving("--threads", 2) as server:  # the shipped model
        body = part("filename=a") + part("filename=b") + part("filename=c") + b"--XB--"
        assert [name for name, _ in labels(send(server, body))] == ["a", "b", "c"]
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.sendall(post(CAT))
        for client in clients:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            client.close()
