"""The one exception a user sees: what happened, and what to do about it."""

from __future__ import annotations

import re

_KIND = re.compile(r"\b\w*(?:Error|Exception|Warning)\b:?")


class RibError(Exception):
    """A mistake that the user can mend; a command prints it on one line and exits with 1.

    Args:
        what: What was given and what was expected.
        remedy: What to type or change; empty where nothing can be done.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}; {remedy}" if remedy else what)


def error_in_one_line(error: BaseException) -> str:
    """Format an error's message without line breaks, led by its kind where it is none of ours."""
    text = " ".join(str(error).split())
    kind = "" if isinstance(error, RibError) else type(error).__name__
    return f"{kind}: {text}" if kind and text else kind or text


def reason_of_error(error: BaseException) -> str:
    """Why a library could not read a stranger's file, in one short line without names of classes."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, TypeError | AttributeError | IndexError):  # Python's words tell a user nothing
        return "something in it is of another kind than it should be"
    if isinstance(error, ValueError) and "int_max_str" in str(error):
        return "a number in it has too many digits"
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, KeyError):
        said = f"it has no {said}"
    first = re.split(r"(?<=[a-z])\. ", " ".join(said.split()))[0]
    return _KIND.sub("", first).strip()[:160] or "it is damaged"
