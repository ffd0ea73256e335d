"""catdog serve behind nginx, with the configuration of docs/serve.md."""
import http.client
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from catdog import photograph
from server import HAS_SERVE, PATIENCE, encode, serving

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [pytest.mark.skipif(not HAS_SERVE, reason="built without libmicrohttpd"),
              pytest.mark.skipif(not NGINX, reason="there is no nginx")]

DOCS = (Path(__file__).parents[2] / "docs/serve.md").read_text()
CAT = encode(photograph("cat", 7))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def configuration(port, backend, folder):
    """Both examples in one server, without what needs a certificate and a file of passwords."""
    whole, part = re.findall(r"```nginx\n(.*?)```", DOCS, re.DOTALL)
    server = whole.rstrip().removesuffix("}") + part + "}\n"
    server = re.sub(r".*(ssl_certificate|auth_basic).*\n", "", server).replace("443 ssl", f"127.0.0.1:{port}")
    server = server.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{backend}")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\nevents {{ }}\n" \
           f"http {{\naccess_log off;\n{temporary}{server}}}\n"


@pytest.fixture(scope="module")
def proxy(pets, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with serving("--model", pets.model, "--host", "pets.example.org") as server:
        (folder / "nginx.conf").write_text(configuration(port, server.port, folder))
        nginx = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
        until = time.monotonic() + 10
        while time.monotonic() < until and nginx.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        yield port
        nginx.terminate()
        nginx.wait(timeout=10)


def ask(port, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, body, {"Host": "pets.example.org", **headers})
    response = connection.getresponse()
    response.body = response.read()
    connection.close()
    return response


@pytest.mark.parametrize("folder", ["", "/pets"])
def test_the_page_and_the_api_are_reached_through_it(proxy, folder):
    page = ask(proxy, "GET", folder + "/")
    assert page.status == 200 and b"<!DOCTYPE html>" in page.body
    for origin in ({}, {"Origin": "https://pets.example.org"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = ask(proxy, "POST", folder + "/v1/predict", CAT, {"Content-Type": "image/jpeg", **origin})
        assert answer.status == 200 and b'"label":"Cat"' in answer.body
    evil = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert ask(proxy, "POST", folder + "/v1/predict", CAT, evil).status == 403


@pytest.mark.parametrize("path", ["/metrics", "/pets/metrics", "/pets//metrics", "/pets/./metrics", "/pets/x/../metrics",
                                  "/pets/%6detrics", "/%6Detrics", "/metrics?a", "/pets/metrics?a=b", "/pets/metrics%3f",
                                  "/pets/metrics/", "/pets/../metrics", "/pets/metrics;x", "/pets/Metrics"])
def test_the_metrics_are_not(proxy, path):
    answer = ask(proxy, "GET", path)
    assert answer.status in (403, 404) and b"catdog_" not in answer.body
