"""Serving: one process, or several on PostgreSQL, behind one address."""

import os
import resource
import signal
import socket
import tempfile
from collections.abc import Callable

import msgspec
import uvicorn
from msgspec.structs import replace
from uvicorn.supervisors import Multiprocess

from farecard.api.worker import SETTINGS, Settings
from farecard.desk.opening import making_store
from farecard.storage.errors import StoreError
from farecard.storage.opening import is_postgres

BACKLOG = 4096


class ServeError(StoreError):
    """Why nothing is served: a sentence for whoever started it."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # the protocol is named, since asyncio's own loop sends without delay only where it is told to be TCP
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(BACKLOG)
    except OSError as error:
        raise ServeError(
            f"{host}:{port} cannot be served: {error.strerror}; choose another with --host or --port"
        ) from None
    listening.set_inheritable(True)
    return listening


def address(listening: socket.socket) -> str:
    """Where it is served, for people."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _many_files() -> None:
    """Each connection is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(
    url: str, listening: socket.socket, settings: Settings, workers: int, ready: Callable[[], None], factory: str
) -> None:  # fmt: skip
    """Serve until told to stop by SIGTERM or Ctrl-C; then what was accepted is answered first.

    ``ready`` is called once the store is made and the socket listens; ``factory`` names what makes the application.
    """
    if workers > 1 and not is_postgres(url):
        raise ServeError(
            "--workers: one process serves a SQLite store, since one writes to it at a time; use PostgreSQL for more"
        )
    making_store(url)[
        0
    ].close()  # made or brought up to date once, and what is wrong with it said here
    _many_files()
    with tempfile.TemporaryDirectory(prefix="farecard-serve-") as shared:
        settings = replace(settings, shared=shared if workers > 1 else None)
        os.environ[SETTINGS] = msgspec.json.encode(settings).decode()
        config = uvicorn.Config(
            factory, factory=True, workers=workers,
            loop="uvloop", http="farecard.api.connection:Connection", ws="none", lifespan="on",
            log_config=None, access_log=False, proxy_headers=False, server_header=False,
            timeout_keep_alive=int(settings.limits.idle), timeout_graceful_shutdown=int(settings.limits.leave_within),
        )  # fmt: skip
        run = _listening_for_the_end(config, listening)
        ready()
        run()


def _listening_for_the_end(config: uvicorn.Config, listening: socket.socket) -> Callable[[], None]:
    """What serves, told to stop by SIGTERM or Ctrl-C from now on: before it runs, too, whoever starts it may have done with it."""
    if config.workers > 1:
        return Multiprocess(config, [listening]).run
    server = uvicorn.Server(config)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, server.handle_exit)  # which uvicorn raises again when it is done
    return lambda: server.run([listening])
