"""Asking a stage to save its state and stop: signals, a file, or the end of who started it.

Launchers differ in which signals they pass on; a file in the run folder works with all of them.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from voxtrode.pipeline.communicator import Communicator
from voxtrode.pipeline.run_lock import Owner

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
ORPHAN_GRACE = 600.0  # seconds that a worker whose starter has died may take to save its state


@dataclass
class StopRequest:
    """Whether this process, or the run as a whole, was asked to stop.

    Attributes:
        comm: The ranks that answer together.
        file: A file whose presence asks for it; looked for on rank 0.
        signum: The signal that asked, or 0.
    """

    comm: Communicator
    file: Path
    signum: int = 0
    _orphaned: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> bool:
        """Whether any rank was asked to stop; collective."""
        return any(self.comm.allgather(self._asked_here()))

    def _asked_here(self) -> bool:
        asked = bool(self.signum) or self._orphaned.is_set()
        return asked or (self.comm.rank == 0 and self.file.exists())

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes note of signals instead of dying of them."""

        def note(signum: int, _: object) -> None:
            self.signum = signum

        before = {number: signal.signal(number, note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def watch(self, starter: Owner, patient: bool) -> None:
        """Asks for a stop, or ends the process, once the process that started it is gone."""

        def look() -> None:
            while not starter.is_gone:
                time.sleep(1.0)
            self._orphaned.set()
            if patient:
                time.sleep(ORPHAN_GRACE)
            os._exit(1)  # the launcher ends the other ranks

        threading.Thread(target=look, daemon=True, name="starter watch").start()
