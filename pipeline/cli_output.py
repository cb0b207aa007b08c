"""How a command shows progress: bars on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from voxtrode.pipeline.progress import PlainSink, RichSink, Sink


@contextmanager
def shown() -> Iterator[Sink]:
    """A sink that shows events on standard output."""
    if sys.stdout.isatty():
        with RichSink(Console()) as sink:
            yield sink
    else:
        yield PlainSink(_write_line)


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
