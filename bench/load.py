"""Load for an HTTP server, from a process of its own that computes as little as it can.

``load.py HOST PORT KEY LINES``, then on each line of standard input one of

- ``commands COUNT CONNECTIONS``: the next lines as single commands, each connection sends its next once it is answered
- ``rate COUNT CONNECTIONS A_SECOND``: the same, but each command is due at its time; what it takes is counted from then,
  so that a server that pauses is not spared those that would have come meanwhile
- ``journal COUNT``: the next lines as one journal, sent and answered at the same time

Answers with the seconds it took, how many were answered with what, and what the slowest hundredth took.
"""

import json
import select
import socket
import sys
import time
from collections import Counter, deque
from pathlib import Path
from threading import Thread

END = b"\r\n\r\n"
LENGTH = b"content-length: "
OUTCOME = b'"outcome":"'
ANSWERED = b'"outcome":'
READ = 1 << 18


class Client:
    """One connection; a request at a time."""

    def __init__(self, where):
        self.socket = socket.create_connection(where)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.got = b""

    def answer(self):
        """The whole answer, or None while it is not all there."""
        got = self.got + self.socket.recv(READ)
        head = got.find(END)
        if head >= 0:
            at = got.find(LENGTH, 0, head)
            size = int(got[at + len(LENGTH) : got.find(b"\r", at)])
            if len(got) >= head + 4 + size:
                self.got = b""
                return got
        elif not got:
            raise ConnectionError("the server hung up")
        self.got = got
        return None


def requests_of(lines, where, key):
    head = (
        f"POST /v1/commands HTTP/1.1\r\nHost: {where[0]}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        "Content-Length: "
    ).encode()
    return [b"%s%d\r\n\r\n%s" % (head, len(line), line) for line in lines]


def singly(where, requests, connections, a_second=None):
    """All requests, over so many connections."""
    clients = [Client(where) for _ in range(connections)]
    poll = select.epoll()
    by_file = {client.socket.fileno(): client for client in clients}
    for file in by_file:
        poll.register(file, select.EPOLLIN)
    step = 0.0 if a_second is None else 1 / a_second
    idle = deque(clients)
    took, said, first = [], Counter(), {}
    n, count = 0, len(requests)
    clock = time.perf_counter
    began = clock()
    while len(took) < count:
        now = clock()
        while idle and n < count:
            due = began + n * step if step else now
            if due > now:
                break
            client = idle.popleft()
            client.due = due
            client.socket.send(requests[n])
            n += 1
        wait = max(0.0, began + n * step - clock()) if step and idle and n < count else None
        for file, _ in poll.poll(wait):
            client = by_file[file]
            answer = client.answer()
            if answer is not None:
                took.append(clock() - client.due)
                kind = answer[9:12] + b" " + answer.partition(OUTCOME)[2].partition(b'"')[0]
                said[kind] += 1
                first.setdefault(kind, answer)
                idle.append(client)
    seconds = clock() - began
    for client in clients:
        client.socket.close()
    took.sort()
    return {
        "seconds": seconds,
        "said": {what.decode(): many for what, many in said.items()},
        "first": {what.decode(): answer.decode() for what, answer in first.items()},
        "median": took[count // 2],
        "p99": took[count * 99 // 100],
    }


def journal(where, lines, key):
    """All lines as one upload."""
    body = b"\n".join(lines) + b"\n"
    one = socket.create_connection(where)
    began = time.perf_counter()
    head = (
        f"POST /v1/journal HTTP/1.1\r\nHost: {where[0]}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    sending = Thread(target=lambda: (one.sendall(head), one.sendall(body)))
    sending.start()
    answered, rest = 0, b""
    while piece := one.recv(READ):
        piece = rest + piece
        answered += piece.count(ANSWERED)
        rest = piece[1 - len(ANSWERED) :]  # one may be cut in two
    seconds = time.perf_counter() - began
    sending.join()
    one.close()
    assert answered == len(lines), f"{answered} of {len(lines)} lines were answered"
    return {"seconds": seconds}


def main():
    host, port, key, file = sys.argv[1:]
    where = (host, int(port))
    lines = Path(file).read_bytes().splitlines()
    print("ready", flush=True)
    position = 0
    for order in sys.stdin:
        what, *numbers = order.split()
        count, *more = map(int, numbers)
        some = lines[position : position + count]
        assert len(some) == count, "there are too few lines"
        position += count
        told = (
            journal(where, some, key)
            if what == "journal"
            else singly(where, requests_of(some, where, key), *more)
        )
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
