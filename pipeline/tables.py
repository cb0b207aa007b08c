"""CSV files that grow with a simulation and can be cut back to where a checkpoint stands."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class Table:
    """A CSV file with fixed columns; rows reach the disk as they come.

    Attributes:
        path: The file.
        columns: Names, in order.
        rows: Rows so far.
    """

    def __init__(self, path: Path, columns: Sequence[str], rows: int = 0) -> None:
        """Open a new table, or go on with an earlier one.

        Args:
            path: The file.
            columns: Names, in order.
            rows: Rows of the earlier table to keep; what follows them is dropped.
        """
        self.path = path
        self.columns = tuple(columns)
        self.rows = rows
        if rows:
            # Cut, never written anew: a kill or a full disk takes nothing of what is there.
            with path.open("rb+") as stream:
                for _ in range(rows + 1):
                    stream.readline()
                stream.truncate(stream.tell())
        else:
            with path.open("w", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerow(self.columns)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows; NaN becomes an empty cell."""
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([[_text(row[c]) for c in self.columns] for row in rows])
        self.rows += len(rows)


def _text(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return value
