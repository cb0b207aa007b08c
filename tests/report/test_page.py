"""The page: complete, self-contained, honest about what is missing or fails."""

import base64
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_run import Run

from voxtrode.pipeline.image_figures import rendering
from voxtrode.pipeline.records import read_json, update_summary
from voxtrode.pipeline.report.blocks import Cell, Listing, Missing, Page, Section, Table
from voxtrode.pipeline.report.evidence_sections import balance_section
from voxtrode.pipeline.report.findings import tiles, verdict
from voxtrode.pipeline.report.page import all_cautions, render, section_makers
from voxtrode.pipeline.report.picture import draw_apart
from voxtrode.pipeline.report.results import read_results

SECTIONS = (
    "structure",
    "cell",
    "particles",
    "limits",
    "fields",
    "balances",
    "mesh",
    "transport",
    "solver",
    "parameters",
    "study",
    "provenance",
)
_ADDRESSES = ("src", "href", "srcset", "data", "poster", "action", "background", "xlink:href")


class Reader(HTMLParser):
    """Collects tags, addresses and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.texts: dict[str, str] = {}
        self._section = "head"
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes note of a tag and of the addresses in it."""
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.addresses += [found[name] for name in _ADDRESSES if name in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "section":
            self._section = found["id"]

    def handle_data(self, data: str) -> None:
        """Takes note of a text, under the section it stands in."""
        self.texts[self._section] = self.texts.get(self._section, "") + data.replace("\u202f", " ")


@pytest.fixture(scope="session")
def html(report: Path) -> str:
    """The page of the made-up run."""
    return (report / "report" / "report.html").read_text(encoding="utf-8")


def test_every_section_is_there_in_order(html: str) -> None:
    """And the table of contents leads to each of them."""
    page = Reader(html)
    assert tuple(page.ids) == SECTIONS
    assert [link for link in page.addresses if link.startswith("#")] == [f"#{s}" for s in SECTIONS]
    assert "No " not in page.texts["cell"]
    assert html.count('class="missing"') <= 1  # the 3D picture, where nothing can draw it


def test_numbers_of_the_files_are_on_the_page(html: str) -> None:
    """One number from each file, as the files hold it."""
    texts = Reader(html).texts
    head = texts["head"].replace("\u00a0", " ")
    assert "3.346 V" in head
    assert "0.4321 mA h cm⁻²" in head
    assert "time 600 s" in head
    assert "1 of 3 particles are dead" in head
    assert "4242" in texts["solver"]
    assert "1.234" in texts["transport"] or "1.235" in texts["transport"]
    assert "4608" in texts["mesh"]
    assert "voxel_size" not in texts["study"]
    assert "diameters:" in texts["study"]
    assert "0.11.0" in texts["provenance"]
    assert "U: tail" in texts["parameters"]
    assert "1.5 × 10⁻¹²" in texts["balances"]


def test_nothing_is_fetched_and_nothing_runs(html: str) -> None:
    """Every address lies inside the page, in the pictures too; there are no scripts."""
    page = Reader(html)
    assert not {"script", "iframe", "object", "embed", "video", "audio"} & set(page.tags)
    assert page.addresses
    assert [link[:40] for link in page.addresses if not link.startswith(("data:", "#"))] == []
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style is not None
    assert "@import" not in style[1]
    assert "url(" not in style[1]
    pictures = [link for link in page.addresses if link.startswith("data:image/svg")]
    assert len(pictures) >= 7
    for picture in pictures:
        drawing = base64.b64decode(picture.split(",", 1)[1]).decode()
        inside = re.findall(r'(?:xlink:)?href\s*=\s*"([^"]*)"', drawing)
        assert [link[:40] for link in inside if not link.startswith(("#", "data:"))] == []
        assert "<script" not in drawing


def test_balances_are_judged(run: Run, html: str) -> None:
    """A balance beyond 1e-9 is shown as failing, at the top too."""
    assert Reader(html).texts["balances"].count("holds") == 3
    update_summary(run.folder / "summary.json", {"salt_balance": 2e-9, "charge_balance": None})
    results = read_results(run.folder, run.study)
    (table,) = balance_section(results).blocks
    assert isinstance(table, Table)
    verdicts = [row[3] for row in table.rows]
    assert [(cell.text, cell.state) for cell in verdicts if isinstance(cell, Cell)] == [
        ("holds", "good"),
        ("fails", "bad"),
        ("not known", ""),
    ]
    assert any("Salt is not conserved" in text for text in all_cautions(results))
    assert [tile.state for tile in tiles(results) if tile.label == "Worst balance"] == ["bad"]


def test_a_caution_stands_once(run: Run) -> None:
    """A phase whose touching particles were told apart leaves its ranges once for each colour."""
    entry = {
        "material": "NMC",
        "law": "U",
        "argument": "theta",
        "range": [0.2, 0.9],
        "reached": [0.1, 0.9],
        "held": True,
    }
    other = {**entry, "law": "D_s"}
    update_summary(run.folder / "summary.json", {"out_of_range": [entry, entry, other]})
    found = all_cautions(read_results(run.folder, run.study))
    assert len([text for text in found if text.startswith("U of NMC")]) == 1
    assert len([text for text in found if text.startswith("D_s of NMC")]) == 1


@pytest.mark.parametrize(
    ("gone", "sections"),
    [
        ("simulate", ("cell", "particles", "fields")),
        ("summary.json", ("balances", "solver")),
        ("mesh", ("mesh",)),
        ("transport.json", ("transport",)),
        ("image", ("structure",)),
        ("study.yaml", ("study",)),
        ("provenance.json", ("provenance",)),
    ],
)
def test_what_is_missing_is_said(run: Run, gone: str, sections: tuple[str, ...]) -> None:
    """A section without its result says so instead of failing."""
    path = run.folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    results = read_results(run.folder, run.study)
    makers = dict(zip(SECTIONS, section_makers(run.folder), strict=True))
    for name in sections:
        section = makers[name](results)
        assert section.name == name
        (block,) = section.blocks
        assert block.kind == "missing"
    assert verdict(results)
    assert isinstance(all_cautions(results), list)


def test_an_empty_run_folder_still_makes_a_page(run: Run) -> None:
    """Nothing but the study: every section stands and says what is missing."""
    shutil.rmtree(run.folder)
    html = (run.report() / "report" / "report.html").read_text(encoding="utf-8")
    assert tuple(Reader(html).ids) == SECTIONS
    assert "It has not been simulated" in html


def test_warnings_complete_the_summary(report: Path) -> None:
    """What stands at the top of the page, what was delivered and what limits; nothing else."""
    added = read_json(report / "summary.json")
    assert list(added) == ["warnings", "delivered", "limits"]
    assert any("dead" in text for text in added["warnings"])


def test_texts_are_escaped() -> None:
    """Names from files cannot become markup."""
    block = Listing("a & b", "<script>alert(1)</script>")
    section = Section("one", "<i>", [Missing("<b>"), block])
    html = render(Page("<u>", "x < y", [], ["<s>"], [section]))
    assert not {"u", "s", "i", "b", "script"} & set(Reader(html).tags)


def test_a_picture_that_cannot_be_drawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the drawing process dies (as without libEGL) the page says what to install."""
    dies = [sys.executable, "-c", "import os; os.abort()"]
    monkeypatch.setattr(rendering, "draw_apart", lambda scene, out: draw_apart(scene, out, dies))
    html = (run.report() / "report" / "report.html").read_text(encoding="utf-8")
    assert "exit status -6" in html
    assert "libegl1" in html
    assert tuple(Reader(html).ids) == SECTIONS


def test_the_report_is_the_same_each_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dates or random names inside: equal results give an equal page."""
    monkeypatch.setattr(rendering, "draw_apart", lambda *_: "not drawn in this test")
    first, second = ((run.report() / "report" / "report.html").read_text() for _ in range(2))
    assert first == second
