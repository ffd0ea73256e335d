"""Starts `catdog serve`, and talks to it: by http.client where requests are sound, by a socket where they aren't."""
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
from contextlib import contextmanager

from catdog import PROGRAM, SANITIZED

HAS_SERVE = os.environ.get("CNN_HAS_SERVE", "1") == "1"
PATIENCE = 60 if SANITIZED else 30


class Server:
    def __init__(self, *options, cwd=None):
        self.process = subprocess.Popen([PROGRAM, "serve", "--port", "0", *map(str, options)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, cwd=cwd)
        self.first_line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)/", self.first_line).group(1))
        self.url = f"http://127.0.0.1:{self.port}/"

    def request(self, method, path, body=None, headers={}):
        """The response, with its `body` and, where that is JSON, `json`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        if response.headers["Content-Type"] == "application/json":
            response.json = json.loads(response.body or "null")
        return response

    def get(self, path):
        return self.request("GET", path)

    def predict(self, *files, query=""):
        body, kind = form(*files)
        return self.request("POST", "/v1/predict" + query, body, {"Content-Type": kind})

    def metrics(self):
        text = self.get("/metrics").body.decode()
        return {name: float(value) for name, value in re.findall(r"^([^#\s]+) (\S+)$", text, re.M)}

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def exchange(self, data):
        """All that is answered to bytes until the server closes the connection, which it must do by itself."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)

    def resident(self, field="VmRSS"):
        """Bytes of memory; field VmHWM: the most that there ever were."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"{field}:\s+(\d+) kB", file.read()).group(1)) << 10

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """What it wrote until it ended, which it must do well."""
        if self.process.poll() is None:
            self.signal()
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, err) == (0, "")
        return self.first_line + out


@contextmanager
def serving(*options, cwd=None):
    server = Server(*options, cwd=cwd)
    try:
        yield server
        server.stop()
    finally:
        server.process.kill()


def encode(image, kind="JPEG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def form(*files):
    """multipart/form-data of (name, bytes) pairs, and its content type."""
    parts = [f'--frontier\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n'
             f"Content-Type: image/jpeg\r\n\r\n".encode() + data + b"\r\n" for name, data in files]
    return b"".join(parts) + b"--frontier--\r\n", "multipart/form-data; boundary=frontier"


def post(body, length=None):
    """A request with one image as its body, as it goes over the wire."""
    return (f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            f"Content-Length: {length or len(body)}\r\n\r\n").encode() + body


def read_all(connection):
    """All that comes until the other side closes."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received
