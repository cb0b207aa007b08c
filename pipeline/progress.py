"""Progress and messages: events from rank 0 to whoever shows or keeps them.

A worker under a launcher sees no terminal: it writes its events as lines of JSON, and `voxtrode
run` shows them. Sinks are called with events; nothing else in voxtrode prints.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVENT_MARK = "@voxtrode "


@dataclass(frozen=True)
class Event:
    """A message, or how far a task has come.

    Attributes:
        kind: `info`, `warning`, or `progress`.
        text: The message, or the name of the task.
        done: Work done, in units of the task (progress only).
        total: All of the work (progress only).
        note: What stands beside the bar (progress only).
    """

    kind: Literal["info", "warning", "progress"]
    text: str
    done: float = 0.0
    total: float = 1.0
    note: str = ""

    def line(self) -> str:
        """The event as one line of text."""
        if self.kind == "progress":
            note = f", {self.note}" if self.note else ""
            return f"{self.text}: {100.0 * self.done / max(self.total, 1e-300):.0f} %{note}"
        return f"warning: {self.text}" if self.kind == "warning" else self.text


class Sink(Protocol):
    """Shows or keeps events."""

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        ...


class Task:
    """A piece of long work whose progress is reported at most a few times a second."""

    def __init__(self, emit: Callable[[Event], None], text: str, total: float) -> None:
        self._emit = emit
        self._text = text
        self._total = total
        self._last = 0.0

    def update(self, done: float, note: str = "") -> None:
        """Says how much of the total is done, and something to show beside it."""
        now = time.monotonic()
        if now - self._last > 0.2 or done >= self._total:
            self._last = now
            self._emit(Event("progress", self._text, min(done, self._total), self._total, note))


@dataclass(frozen=True)
class Reporter:
    """What stages talk to; silent without sinks.

    Attributes:
        sinks: Who gets the events.
    """

    sinks: Sequence[Sink] = ()

    def emit(self, event: Event) -> None:
        """Hands an event to every sink."""
        for sink in self.sinks:
            sink(event)

    def info(self, text: str) -> None:
        """A message."""
        self.emit(Event("info", text))

    def warning(self, text: str) -> None:
        """Something the user should know though the run goes on."""
        self.emit(Event("warning", text))

    @contextmanager
    def task(self, text: str, total: float = 1.0) -> Iterator[Task]:
        """Long work: `with log.task("time stepping", total=1.0) as task: task.update(0.3)`."""
        task = Task(self.emit, text, total)
        yield task
        task.update(total)


SILENT = Reporter()


def json_sink(stream: TextIO) -> Sink:
    """Writes events as marked lines of JSON, for `parse_event` on the other end of a pipe."""

    def take(event: Event) -> None:
        stream.write(EVENT_MARK + json.dumps(asdict(event)) + "\n")
        stream.flush()

    return take


def parse_event(line: str) -> Event | None:
    """The event that a line of a worker's output holds, or None for an ordinary line."""
    if not line.startswith(EVENT_MARK):
        return None
    return Event(**json.loads(line.removeprefix(EVENT_MARK)))


@dataclass
class PlainSink:
    """Plain lines: every message, and progress every `interval` seconds.

    Attributes:
        write: Takes a line without its end.
        interval: Shortest time between two lines of progress [s].
    """

    write: Callable[[str], None]
    interval: float = 10.0
    _last: float = field(default_factory=time.monotonic)

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        if event.kind == "progress":
            now = time.monotonic()
            if now - self._last < self.interval:
                return
            self._last = now
        self.write(event.line())


class RichSink:
    """A bar per task on a terminal; messages above it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "RichSink":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        if event.kind != "progress":
            style = "yellow" if event.kind == "warning" else ""
            self._progress.console.print(event.line(), style=style, markup=False, highlight=False)
            return
        if event.text not in self._tasks:
            self._tasks[event.text] = self._progress.add_task(event.text, note="")
        task = self._tasks[event.text]
        self._progress.update(task, completed=event.done, total=event.total, note=event.note)
        if event.done >= event.total:
            self._progress.remove_task(self._tasks.pop(event.text))


def file_writer(path: Path) -> Callable[[str], None]:
    """Appends lines with the time of day to a file, opened anew for each line."""

    def write(line: str) -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")

    return write
