#!/usr/bin/env python3
"""Runs a command whose standard error journald reads, and prints the entries that it sends as lines of JSON.

    unshare --user --map-root-user --mount tests/whole/fake_journald.py COMMAND...

It mounts a /run of its own, so it needs a mount namespace of its own.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile


def entry_of(message):
    """The fields of a message in journald's native protocol, a list of values for each name."""
    fields = {}
    while message:
        line, _, message = message.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:  # a value with a line end: its length in eight bytes, then the value
            length = int.from_bytes(message[:8], "little")
            value, message = message[8:8 + length], message[8 + length + 1:]
        fields.setdefault(name.decode(), []).append(value.decode())
    return fields


def main():
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    os.makedirs("/run/systemd/journal")
    journald = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journald.bind("/run/systemd/journal/socket")
    with tempfile.TemporaryFile() as stream:
        names = os.fstat(stream.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{names.st_dev}:{names.st_ino}"}
        command = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=stream, env=environment)
        while True:
            ended = command.poll() is not None
            if select.select([journald], [], [], 0.05)[0]:
                print(json.dumps(entry_of(journald.recv(1 << 20))))
            elif ended:
                break
        stream.seek(0)
        print(json.dumps({"stderr": stream.read().decode()}))
    return command.returncode


if __name__ == "__main__":
    sys.exit(main())
