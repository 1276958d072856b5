"""How much memory the processes that this one started take."""

import os
from pathlib import Path


def rss_mb() -> float | None:
    """Resident memory in MiB of all processes below this one; None where the system does not tell (no /proc)."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold anything; behind it come state and parent.
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    if not parents:
        return None
    below, found = {os.getpid()}, set[int]()
    while below:
        below = {pid for pid, parent in parents.items() if parent in below} - found
        found |= below
    return round(sum(resident_bytes(pid) for pid in found) / 2**20, 1)


def resident_bytes(pid: int) -> int:
    """Resident memory of one process; 0 where the system does not tell, or it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
