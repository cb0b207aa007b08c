"""Tables that grow with a simulation survive what ends it."""

from pathlib import Path

from voxtrode.pipeline.tables import Table


def test_a_table_is_cut_back_and_never_written_anew(tmp_path: Path) -> None:
    """What a checkpoint knows of stays byte by byte, the rest goes, a torn last line too."""
    path = tmp_path / "cell.csv"
    first = Table(path, ("t", "V"))
    first.add([{"t": 0.1 * k, "V": 4.0 - 1e-3 * k} for k in range(5)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + b"0.5,3.9")
    node = path.stat().st_ino
    again = Table(path, ("t", "V"), rows=3)
    assert path.read_bytes() == b"".join(lines[:4])
    assert path.stat().st_ino == node
    again.add([{"t": 9.0, "V": float("nan")}])
    assert path.read_bytes() == b"".join(lines[:4]) + b"9.0,\r\n"
    assert again.rows == 4
