"""JSON from strangers: every fault in one line that names the file and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from rib.io.errors import RibError
from rib.io.files.text import read_text_file


class _NotANumberError(ValueError):
    pass


class _TwiceError(ValueError):
    pass


def read_strict_json(path: Path, what: str = "", missing: str = "write missing points as 0, 0, 0") -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        what: What it is, for the message, with a space at its end.
        missing: What to write in the place of NaN.

    Raises:
        RibError: It cannot be read, is not JSON, says something twice, or holds NaN or infinity, which JSON
            does not have, or numbers of thousands of digits.
    """
    text = read_text_file(path, what, "name a JSON file")
    told = f"{what}{path}"
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RibError(f"{told} is not JSON ({error.msg} at {where})", "write the file again") from error
    except _NotANumberError as error:
        before = text[: text.find(str(error))]
        where = f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
        raise RibError(f"{told} holds {error} at {where}, which JSON does not have", missing) from error
    except _TwiceError as error:
        raise RibError(f"{told} says {error} twice in one place", "write the file again") from error
    except RecursionError as error:
        raise RibError(f"{told} is nested too deeply", "write the file again") from error
    except ValueError as error:  # Python refuses to read integers of thousands of digits
        raise RibError(f"{told} holds a number of thousands of digits") from error


def kind_of_json_value(value: Any) -> str:
    """Say in JSON's words what a value is; a number or a truth as itself."""
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return kinds.get(type(value), str(value)[:40])


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's items; a name that comes twice would hide what it says first."""
    items = dict(pairs)
    if len(items) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(repr(next(name for name in names if names.count(name) > 1)[:40]))
    return items


def _refuse(constant: str) -> NoReturn:
    raise _NotANumberError(constant)
