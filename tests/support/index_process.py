"""The process of the vector index beside a node, as the machine's list of processes has it."""

import os
import signal
from pathlib import Path


def index_processes(node_pid: int) -> list[int]:
    """The index processes that the node of that process id has running; none while one is being started."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_index_of(entry, node_pid) and int(entry.name) != node_pid
    ]


def kill_index(node_pid: int) -> int:
    """SIGKILL for what `index_processes` names; returns how many there were."""
    found = index_processes(node_pid)
    for process_id in found:
        os.kill(process_id, signal.SIGKILL)
    return len(found)


def _is_index_of(process: Path, node_pid: int) -> bool:
    try:
        state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return False
    return int(parent) == node_pid and state != "Z" and b"choir.memory.indexes.edge_main" in command
