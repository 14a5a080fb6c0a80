"""A program that reads all of an HDF5 file, so that only it hangs or dies where HDF5's own library does.

`rib.io.hdf5.trial` runs it. It takes questions from its standard input, one a line in JSON (the path of a
file and the processor seconds that a step may take), and answers each with a line once it is through,
whatever it met: what is wrong with a file's parts is said elsewhere. A file that sends the library round in
circles ends it by SIGPROF, which no library holds back.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py

SLAB = 1 << 22
"""Numbers of a dataset that are read in one step."""
READ_WHOLE = 1 << 28
"""Bytes; of a larger file, or of what is larger in memory, samples are read: that the library loops or dies
comes from headers, lists of chunks and heaps, not from numbers, and headers and lists are read whole."""
SAMPLES = 8
"""Smaller slabs that are read of such a dataset, from its first to its last."""
MEMORY = 4 << 30
"""Bytes that this program may take; a promise of more is refused where the file is read in earnest."""
FAULTS = (Exception, RecursionError)


def run_hdf5_probe() -> None:
    """Answer until the standard input ends."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the program that asks handles Ctrl-C, and ends this one
    for line in sys.stdin:
        with contextlib.suppress(*FAULTS):
            path, step_s = json.loads(line)
            for _ in read_hdf5_in_steps(path):
                signal.setitimer(signal.ITIMER_PROF, step_s)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print("read", flush=True)


def read_hdf5_in_steps(path: str, read_whole: int = READ_WHOLE) -> Iterator[None]:
    """Read everything in a file, or samples of what has more bytes; gives the word after each step."""
    yield
    whole = read_whole if Path(path).stat().st_size <= read_whole else 0
    with h5py.File(path, "r") as file:
        yield from _group(file, {_address(file)}, whole)


def _group(group: h5py.Group, seen: set[int], whole: int) -> Iterator[None]:
    yield from _attributes(group)
    for name in group:
        yield
        with contextlib.suppress(*FAULTS):
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            part = group[name]
            if (address := _address(part)) in seen:
                continue
            seen.add(address)
            if isinstance(part, h5py.Group):
                yield from _group(part, seen, whole)
            elif isinstance(part, h5py.Dataset):
                yield from _attributes(part)
                yield from _dataset(part, whole)


def _address(part: h5py.Group | h5py.Dataset) -> int:
    """Where a part lies in its file; the part itself, if kept, would keep its chunks in memory."""
    address: int = h5py.h5o.get_info(part.id).addr
    return address


def _attributes(part: h5py.Group | h5py.Dataset) -> Iterator[None]:
    with contextlib.suppress(*FAULTS):
        for name in part.attrs:
            yield
            with contextlib.suppress(*FAULTS):
                part.attrs[name]


def _dataset(part: h5py.Dataset, largest: int) -> Iterator[None]:
    """The numbers in it, by slabs of its first axis; what has no length of its own one by one."""
    yield
    if part.is_virtual or part.external or not part.shape:
        return
    if part.chunks:
        with contextlib.suppress(*FAULTS):
            part.id.get_num_chunks()  # walks through all of the list
    rows = part.shape[0]
    whole = part.nbytes <= largest
    slab = SLAB if whole else SLAB // SAMPLES
    step = 1 if part.dtype.hasobject else max(1, slab * rows // max(part.size, 1))
    last = max(0, rows - step)
    starts = range(0, rows, step) if whole else sorted({last * n // (SAMPLES - 1) for n in range(SAMPLES)})
    for start in starts:
        yield
        with contextlib.suppress(*FAULTS):
            part[start : start + step]


if __name__ == "__main__":
    run_hdf5_probe()
