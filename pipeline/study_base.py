"""What every section of a study file shares: frozen, no unknown keys, errors of one line."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A mapping of the study file whose keys are all known."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for key in given:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key; {hint}",
                        {"key": str(key), "hint": nearest(str(key), cls.model_fields)},
                    )
        return given


def nearest(name: str, known: Iterable[str], what: str = "known keys") -> str:
    """A hint for a name that is not known: the nearest known one, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"{what}: {', '.join(names) or 'none'}"


_PHRASES = {
    "missing": "is missing",
    "dict_type": "expected a mapping of keys",
    "model_type": "expected a mapping of keys",
    "model_attributes_type": "expected a mapping of keys",
    "string_type": "expected a text",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than": "expected a number below {lt}",
    "less_than_equal": "expected a number of at most {le}",
    "literal_error": "expected {expected}",
    "too_short": "expected at least {min_length} of them",
    "too_long": "expected at most {max_length} of them",
}


_MEMBER = re.compile(r"<|constrained-|tuple\[|literal\[")


def first_line(error: ValidationError) -> str:
    """The first fault of a validation error as one line: dotted path, what came, what is expected.

    Parts of the path that are tags or types of a union's members are no keys.
    """
    fault = error.errors(include_url=False)[0]
    context = fault.get("ctx", {})
    path = [str(part) for part in fault["loc"] if not _MEMBER.match(str(part))]
    kind = fault["type"]
    if kind == "unknown_key":
        path.append(context["key"])
    if kind == "union_tag_invalid":
        path.append(context["discriminator"].strip("'()"))
        known = context["expected_tags"].replace("'", "").replace("<", "").replace(">", "")
        phrase = f'expected one of {known}, got "{context["tag"].strip("<>")}"'
    elif kind == "union_tag_not_found":
        path.append(context["discriminator"].strip("'()"))
        phrase = "is missing"
    elif kind in _PHRASES:
        phrase = _PHRASES[kind].format_map(context)
    else:
        phrase = fault["msg"].removeprefix("Value error, ")
    came = f", got {fault['input']!r}" if kind in _PHRASES and kind != "missing" else ""
    return " ".join(f"{'.'.join(path)}{': ' if path else ''}{phrase}{came}".split())
