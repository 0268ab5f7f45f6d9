"""A PostgreSQL server of the tests' own, started once; what needs it skips where none is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

PASSWORD = "p@ss:w/%ord ?&"  # every character that means something in an address


@dataclass(frozen=True)
class Server:
    """`folder` holds its data and its socket; over TCP it asks for the password."""

    binaries: Path
    folder: Path
    port: int
    owner: dict[str, Any]

    def url(self, database: str, *, user: str = "steelyard", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def over_socket(self, database: str) -> str:
        return f"postgresql://steelyard@/{database}?host={self.folder}&port={self.port}"

    def run(self, program: str, *arguments: str | Path) -> str:
        command = [str(self.binaries / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120, **self.owner)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, text: str, database: str = "postgres") -> str:
        where = ["-h", self.folder, "-p", str(self.port), "-U", "steelyard", "-d", database]
        return self.run("psql", *where, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text).strip()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        log = self.folder / "log"
        self.run("pg_ctl", "start", "-w", "-s", "-D", self.folder / "data", "-l", log, "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", self.folder / "data")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Skips where PostgreSQL is not installed."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed")
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        owner = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="steelyard-pg-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if owner:
            for path in (folder, folder / "password"):
                shutil.chown(path, "nobody", "nogroup")
        found = Server(binaries, folder, _free_port(), owner)
        access = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'password'}"]
        found.run("initdb", "-D", folder / "data", "-U", "steelyard", "-N", "-E", "UTF8", "--locale=C.UTF-8", *access)
        found.start()
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(server) -> Iterator[str]:
    """The address of a fresh database."""
    name = "t" + os.urandom(6).hex()
    server.sql(f"create database {name}")
    yield server.url(name)
    server.sql(f"drop database {name} with (force)")


def _binaries() -> Path | None:
    """Debian keeps the server's programs out of PATH, in a folder for each version."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin")]
    if found := shutil.which("initdb"):
        places.append(Path(found).parent)
    versions = [place for place in places if (place / "initdb").exists() and (place / "psql").exists()]
    return max(versions, key=lambda place: (len(place.parent.name), place.parent.name), default=None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
