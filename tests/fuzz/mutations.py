"""Ways to spoil an input: bytes of a file, and values inside a JSON document."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

JUNK: tuple[Any, ...] = (
    None, True, "", "x", [], {}, [[]], [None], {"": 0}, -1, 0, 1e308, 10**9, 10**30, -(10**30), float("nan"),
    float("inf"), "\x00", "\ud800", "x" * 5000, "../../x", [1, 2], [0] * 75, "9" * 400,
)  # fmt: skip
"""What may stand where something else is expected."""

RAW = (
    b"", b"[", b"[" * 100_000, b"{" * 1000, b'{"people":' * 50_000, b"9" * 5000,
    b'{"people": [' + b"9" * 5000 + b"]}",
    b"\xff\xfe\x00", b"\xef\xbb\xbf[]", b"null", b"[]", b"{}", b'"\\ud800"', b'{"a": 1, "a": 2}',
    b"[1e999999]",
    b"[NaN]", b"[-Infinity]", b"\x00" * 100, b"[[[[]]]]", b"nan",
)  # fmt: skip
"""Whole files that were written to do harm."""


def spoiled_bytes(content: bytes) -> st.SearchStrategy[bytes]:
    """A file with bytes changed, cut off, doubled or left out."""
    size = len(content)
    place = st.integers(0, max(size - 1, 0))

    def flip(places: list[int], value: int) -> bytes:
        spoiled = bytearray(content)
        for at in places:
            spoiled[at] = (spoiled[at] + value) % 256
        return bytes(spoiled)

    flipped = st.builds(flip, st.lists(place, min_size=1, max_size=8), st.integers(1, 255))
    header = st.builds(
        flip, st.lists(st.integers(0, min(255, size - 1)), min_size=1, max_size=4), st.integers(1, 255)
    )
    cut = place.map(lambda at: content[:at])
    grown = st.builds(lambda at, more: content[:at] + more + content[at:], place, st.binary(max_size=64))
    zeroed = st.builds(
        lambda at, num: content[:at] + bytes(min(num, size - at)) + content[at + num :],
        place,
        st.integers(1, 2000),
    )
    removed = st.builds(lambda at, num: content[:at] + content[at + num :], place, st.integers(1, 500))
    return st.one_of(flipped, header, cut, grown, zeroed, removed)


@st.composite
def spoiled_json(draw: st.DrawFn, content: Any) -> bytes:
    """A document with one to three of its values changed, left out or doubled, as text."""
    document = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        document = _spoil(draw, document)
    text = json.dumps(document)
    if draw(st.booleans()) and draw(st.booleans()):
        text = text.replace('": ', '": 1, "x": ', 1)
    return text.encode(errors="surrogatepass")


def _spoil(draw: st.DrawFn, value: Any) -> Any:
    """The value with something inside it changed."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        if not draw(st.integers(0, 5)):
            copy = dict(value) if isinstance(value, dict) else list(value)
            del copy[key]
            return copy
        copy = dict(value) if isinstance(value, dict) else list(value)
        copy[key] = _spoil(draw, value[key])
        return copy
    return draw(st.sampled_from(JUNK))


TOKENS = (
    "nan", "inf", "-inf", "1e308", "-1", "0", "999999999", "9" * 5000, "x", "{", "}", "#", ":", "ROOT",
    "JOINT", "End", "CHANNELS", "OFFSET", "MOTION", "begin", "end", "root", "\x00", "1e-320",
    "Xrotation", "rx", "²", "\u0661",
)  # fmt: skip


@st.composite
def spoiled_text(draw: st.DrawFn, text: str) -> bytes:
    """A text file with one to three of its words or lines changed, left out, doubled or swapped."""
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        what = draw(st.integers(0, 6))
        words = lines[at].split()
        if what >= 3 and words:
            word = draw(st.integers(0, len(words) - 1))
            others = [w for line in lines for w in line.split()]
            words[word] = draw(st.one_of(st.sampled_from(TOKENS), st.sampled_from(others)))
            lines[at] = " ".join(words)
        elif what == 0:
            del lines[at]
        elif what == 1:
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines[at])
        else:
            lines = lines[:at]
        lines = lines or [""]
    return "\n".join(lines).encode(errors="replace")
