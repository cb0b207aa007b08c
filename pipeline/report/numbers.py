"""Numbers as a reader wants them: sensible digits, powers of ten, units, durations."""

import math
import re
from datetime import timedelta
from typing import Any

NONE = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_THIN = "\u202f"  # narrow no-break space
_SPACE = "\u00a0"  # no-break space
_SIGNS = {"ohm": "Ω"}


def is_number(value: Any) -> bool:
    """Whether a value is a finite number (of Python or NumPy)."""
    try:
        return value is not None and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def number(value: Any, digits: int = 3) -> str:
    """A number with so many significant digits; `–` where there is none.

    Whole numbers are written out with grouped digits, very large and small ones with a power of
    ten.
    """
    if not is_number(value):
        return NONE
    given = float(value)
    if given == 0.0:
        return "0"
    if isinstance(value, int) or (given.is_integer() and 1e4 <= abs(given) < 1e12):
        return _sign(_grouped(str(int(value))))
    exponent = math.floor(math.log10(abs(float(f"{given:.{digits - 1}e}"))))
    if -3 <= exponent < 5:
        text = f"{given:.{max(digits - 1 - exponent, 0)}f}"
        whole, _, rest = text.partition(".")
        return _sign(_grouped(whole) + (f".{rest}" if rest else ""))
    mantissa = f"{given / 10.0**exponent:.{digits - 1}f}"
    return _sign(f"{mantissa}{_THIN}×{_THIN}10{str(exponent).translate(_SUPERSCRIPT)}")


def _grouped(digits: str) -> str:
    """Digits in groups of three, where there are five or more."""
    if len(digits.lstrip("-")) < 5:
        return digits
    return f"{int(digits):,}".replace(",", _THIN)


def quantity(value: Any, unit: str, scale: float = 1.0, digits: int = 3) -> str:
    """A number times `scale` with its unit; `–` where there is none."""
    if not is_number(value):
        return NONE
    return f"{number(float(value) * scale, digits)}{_SPACE}{unit}"


def percent(value: Any, digits: int = 3) -> str:
    """A share as a percentage."""
    return quantity(value, "%", 100.0, digits)


def square_microns(area: Any) -> str:
    """An area [m²] in µm², without its unit."""
    return number(float(area) * 1e12, 4) if is_number(area) else NONE


def duration(seconds: Any) -> str:
    """A time as `42.1 s`, `3 min 20 s`, `1 h 05 min` or `2 d 3 h`."""
    if not is_number(seconds):
        return NONE
    value = float(seconds)
    if value < 60.0:
        return f"{number(value)}{_SPACE}s"
    whole = timedelta(seconds=round(value))
    minutes, rest = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if whole.days:
        return f"{whole.days}{_SPACE}d {hours}{_SPACE}h"
    if hours:
        return f"{hours}{_SPACE}h {minutes:02d}{_SPACE}min"
    return f"{minutes}{_SPACE}min {rest:02d}{_SPACE}s" if rest else f"{minutes}{_SPACE}min"


def box(edges: Any, unit: str = "µm", scale: float = 1e6, digits: int = 3) -> str:
    """Three edge lengths as `60 × 24 × 24 µm`."""
    if not edges:
        return NONE
    texts = [shortest(float(edge) * scale, digits) for edge in edges]
    return f"{' × '.join(texts)}{_SPACE}{unit}"


def shortest(value: Any, digits: int = 6) -> str:
    """A number with at most so many significant digits, without zeros at its end."""
    text = number(value, digits)
    mantissa, times, power = text.partition(_THIN + "×")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return mantissa + times + power


def unit_text(unit: str) -> str:
    """A unit of a material file (`m^2/s`) as it is printed (`m²/s`)."""
    text = re.sub(
        r"\^(-?\d+)(?![\d.])", lambda found: found[1].translate(_SUPERSCRIPT), unit
    ).replace("*", "·")
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    return "" if text == "1" else text


def unbroken(text: str) -> str:
    """A text that is never broken into two lines."""
    return text.replace(" ", _SPACE)


def _sign(text: str) -> str:
    return text.replace("-", "−") if text.startswith("-") else text
