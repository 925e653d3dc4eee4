"""The sockets on which the processes of a session accept connections."""

import os
from pathlib import Path


def listening(session: int) -> set[str]:
    """Addresses, as /proc/net writes them, of the TCP sockets that a session listens on."""
    inodes = {inode for process in _processes(session) for inode in _sockets(process)}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and cells[9] in inodes:
                found.add(cells[1])
    return found


def _processes(session: int) -> list[str]:
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[3]) == session:
            found.append(process)
    return found


def _sockets(process: str) -> list[str]:
    links = []
    try:
        for file in os.listdir(f"/proc/{process}/fd"):
            links.append(os.readlink(f"/proc/{process}/fd/{file}"))
    except OSError:  # it ended
        pass
    return [link[8:-1] for link in links if link.startswith("socket:[")]
