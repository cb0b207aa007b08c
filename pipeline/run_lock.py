"""One process works in a run folder at a time: a lock file that names the process.

No `flock`: cluster file systems differ in it. A lock whose process is gone from this machine is
stale and is taken over; a lock of another machine cannot be judged and is respected.
"""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from voxtrode.data.errors import InputError

_ENDED = -1  # a process that has ended and was not yet waited for


@dataclass(frozen=True)
class Owner:
    """A process, identified beyond the reuse of its number.

    Attributes:
        host: Name of its machine.
        pid: Its number there.
        started: Its start in clock ticks after boot, or 0 where the system does not say.
    """

    host: str
    pid: int
    started: int

    @classmethod
    def this(cls) -> "Owner":
        """This process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Owner":
        """A process of this machine."""
        return cls(platform.node(), pid, _start_ticks(pid))

    @property
    def is_gone(self) -> bool:
        """Whether the process has certainly ended."""
        if self.host != platform.node():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return self.started != _start_ticks(self.pid)

    @classmethod
    def read(cls, path: Path) -> "Owner | None":
        """The owner that a file names; None where it is missing, torn or foreign."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Writes a file; raises FileExistsError where there is one."""
        beside = path.with_name(f"{path.name}.{self.host}.{self.pid}")
        beside.write_text(json.dumps(asdict(self)), encoding="utf-8")
        try:
            os.link(beside, path)  # appears whole, and only where there is none
        finally:
            beside.unlink()


def _start_ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    state, *fields = text.rpartition(")")[2].split()  # proc(5), from field 3 on, after the name
    return _ENDED if state in "ZX" else int(fields[18])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`.

    Raises:
        InputError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _take(path)
    try:
        yield
    finally:
        if Owner.read(path) == Owner.this():
            path.unlink()


def _take(path: Path) -> None:
    for _ in range(3):
        try:
            Owner.this().write(path)
            return
        except FileExistsError:
            holder = Owner.read(path)
            if holder is not None and holder.is_gone:
                path.unlink(missing_ok=True)
                continue
            if holder is None:
                time.sleep(0.1)  # being removed, or no lock of ours
                continue
            raise InputError(
                f"{path.parent.parent} is in use by process {holder.pid} on {holder.host}; wait for"
                f" it, choose another --out, or delete {path} if that process is gone"
            ) from None
    raise InputError(f"{path} cannot be taken; delete it if no voxtrode works in that folder")
