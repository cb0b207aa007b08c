"""What a page is made of: sections of figures, tables and listings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

type State = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True)
class Cell:
    """An entry of a table.

    Attributes:
        text: What it says.
        state: How it is judged; shown by a colour and a sign.
        share: Length of a bar behind the text, 0 to 1; None: no bar.
        colour: Colour of a square before the text, as CSS writes it.
        code: Set in a fixed-width font.
    """

    text: str
    state: State = ""
    share: float | None = None
    colour: str = ""
    code: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under a head.

    Attributes:
        head: Titles of the columns, with units; empty: no head.
        rows: Entries; plain texts or cells.
        caption: What to see.
        left: Columns of text, set to the left; the others are numbers, set to the right.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    caption: str = ""
    left: Sequence[int] = (0,)
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        uri: The picture as a data URI.
        caption: What it shows and what to see.
        alt: What it shows, for readers who do not see it.
        width: Largest width on the page [CSS px].
    """

    uri: str
    caption: str
    alt: str
    width: int = 760
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Missing:
    """Stands where a result would be: what is missing, and what to do."""

    text: str
    kind: ClassVar[str] = "missing"


@dataclass(frozen=True)
class Words:
    """A paragraph: what the numbers below it say."""

    text: str
    kind: ClassVar[str] = "words"


@dataclass(frozen=True)
class Listing:
    """A text as it stands in a file.

    Attributes:
        title: What it is.
        text: The text.
        opened: Whether it is shown at first.
    """

    title: str
    text: str
    opened: bool = False
    kind: ClassVar[str] = "listing"


type Block = Table | Figure | Missing | Words | Listing


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: Its anchor.
        title: Its title.
        blocks: What it holds, in order.
    """

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Tile:
    """A number that stands out at the top of the page.

    Attributes:
        label: What it is.
        value: The number.
        unit: Its unit.
        note: A few words below it.
        state: How it is judged.
    """

    label: str
    value: str
    unit: str = ""
    note: str = ""
    state: State = ""


@dataclass(frozen=True)
class Page:
    """The whole report.

    Attributes:
        title: Name of the run.
        verdict: What was run and how it ended, in a sentence or two.
        tiles: The numbers to remember.
        warnings: What to know before trusting them.
        sections: The rest.
        footer: What made the page.
        kicker: What kind of page it is.
    """

    title: str
    verdict: str
    tiles: Sequence[Tile]
    warnings: Sequence[str]
    sections: Sequence[Section]
    footer: str = ""
    kicker: str = "Run report"
