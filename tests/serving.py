"""A farecard that serves: a real process on a free port, and plain HTTP to speak to it with."""

import http.client
import json
import re
import select
import signal
import socket
import subprocess
import sys
import time
from threading import Thread

import residents

WAIT = 60


def eventually(ask):
    """What ``ask`` gives once that is true; it is asked again and again for a minute."""
    until = time.monotonic() + WAIT
    while not (found := ask()):
        assert time.monotonic() < until, "it does not come true"
        time.sleep(0.02)
    return found


class Served:
    """``farecard serve`` on a store; ended by its process id."""

    def __init__(self, url, *options):
        self.url = url
        self.process = subprocess.Popen(
            [sys.executable, "-m", "farecard.cli.main", "--store", url, "serve", "--port", "0", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = self.process.stderr.readline()
        found = re.search(r"at http://127\.0\.0\.1:(\d+)", said)
        assert found, said + self.process.stderr.read()
        self.port = int(found[1])
        self.said = None
        self._lines = []  # read as they come: whoever does not read his server's log stops it in the end
        self._reading = Thread(target=self._lines.extend, args=(self.process.stderr,))
        self._reading.start()

    def stop(self, how=signal.SIGTERM):
        """End it and wait; gives its exit status. ``said`` is what it wrote to standard error."""
        if self.said is None:
            if self.process.poll() is None:
                self.process.send_signal(how)
            self.process.wait(WAIT)
            self._reading.join()
            self.process.stderr.close()
            self.said = "".join(self._lines)
        return self.process.returncode

    def key(self, name, channels="", **options):
        """A key's secret."""
        return residents.key(self.url, name, channels, **options)

    def call(self, method, path, body=None, key=None, kind="application/json", **headers):
        """One request; gives (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            said = {} if key is None else {"Authorization": f"Bearer {key}"}
            if body is not None and kind:
                said["Content-Type"] = kind
            connection.request(method, path, body, said | headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path, key=None, **headers):
        """(status, JSON) of a question."""
        status, _, body = self.call("GET", path, key=key, **headers)
        return status, json.loads(body)

    def post(self, line, key, path="/v1/commands"):
        """(status, JSON) of one command."""
        status, _, body = self.call("POST", path, line, key)
        return status, json.loads(body)

    def journal(self, lines, key):
        """(status, decisions) of a journal."""
        status, _, body = self.call("POST", "/v1/journal", b"\n".join(lines) + b"\n", key, "application/x-ndjson")
        return status, [json.loads(line) for line in body.splitlines()]

    def socket(self):
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)


def head(path, key, *, kind="application/x-ndjson", length=None, chunked=False):
    """A POST's head as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    lines += ["Transfer-Encoding: chunked"] if chunked else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data):
    """A piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def all_of(connection):
    """Everything until the other side hangs up."""
    got = b""
    while select.select([connection], [], [], WAIT)[0]:
        try:
            piece = connection.recv(1 << 16)
        except ConnectionResetError:
            return got
        if not piece:
            return got
        got += piece
    raise TimeoutError(f"nobody hangs up; so far: {got[:500]!r}")
