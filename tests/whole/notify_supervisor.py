#!/usr/bin/env python3
"""Runs a program as systemd's Type=notify does: a service manager for tests, where systemd cannot run.

    with Supervisor(["memcoord", "-c", "sim:case1"], watchdog=2.0) as service:
        service.wait_for("READY=1")
        ...
        service.stop()

As a program it runs a service until it is ended: notify_supervisor.py [--user USER] [--seconds N] COMMAND...
It prints each notification, passes SIGHUP and SIGTERM on, and exits with the service's exit code; with 124 if
the service is not ready after N seconds (default 30), with 125 if it misses the watchdog's time (30 s).
"""

import argparse
import os
import pwd
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


class NotReady(Exception):
    """A notification did not come in time, or the service has ended before it."""


class Supervisor:
    """A service process and the notifications that it sends.

    notifications: a list of (seconds since the start, {"READY": "1", ...}), in the order of their arrival.
    """

    def __init__(self, command, watchdog=None, abstract=False, user=None, environment=None, show=None, **popen):
        self.notifications = []
        self._show = show
        self._arrived = queue.Queue()
        self._folder = None if abstract else tempfile.mkdtemp(prefix="notify-")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        name = f"@memcoord-notify-{os.getpid()}-{id(self)}" if abstract else os.path.join(self._folder, "notify")
        self._socket.bind("\0" + name[1:] if abstract else name)
        if not abstract:
            os.chmod(self._folder, 0o755)
            os.chmod(name, 0o777)
        self.environment = dict(os.environ if environment is None else environment)
        self.environment["NOTIFY_SOCKET"] = name
        for variable in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            self.environment.pop(variable, None)
        words = list(command)
        if watchdog is not None:
            # WATCHDOG_PID is the process itself: a shell that becomes the program knows it.
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
            words = ["/bin/sh", "-c", 'export WATCHDOG_PID=$$; exec "$@"', "sh", *words]
        if user is not None:
            entry = pwd.getpwnam(user)
            popen.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=os.getgrouplist(user, entry.pw_gid))
        self._began = time.monotonic()
        self.process = subprocess.Popen(words, env=self.environment, **popen)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        size = socket.CMSG_SPACE(12)
        while True:
            try:
                data, extra, _, _ = self._socket.recvmsg(65536, size)
            except OSError:
                return
            if not data:  # shut down
                return
            sender = int.from_bytes(extra[0][2][:4], sys.byteorder) if extra else 0
            if sender != self.process.pid:  # NotifyAccess=main
                continue
            fields = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
            entry = (time.monotonic() - self._began, fields)
            self.notifications.append(entry)
            self._arrived.put(entry)
            if self._show:
                self._show(*entry)

    def seconds(self):
        """Since the start."""
        return time.monotonic() - self._began

    def wait_for(self, wanted, timeout=30):
        """The next notification with wanted ("READY=1", or a variable: "STATUS"). Skips those before it."""
        variable, _, value = wanted.partition("=")
        deadline = time.monotonic() + timeout
        while True:
            try:
                entry = self._arrived.get(timeout=0.05)
            except queue.Empty:
                if self.process.poll() is not None and self._arrived.empty():
                    raise NotReady(f"the service has ended with {self.process.returncode}, without {wanted}")
                if time.monotonic() > deadline:
                    raise NotReady(f"no {wanted} within {timeout} s, but {[each for _, each in self.notifications]}")
                continue
            if variable in entry[1] and (not value or entry[1][variable] == value):
                return entry

    def sent(self, variable):
        """All (seconds, value) of a variable so far."""
        return [(at, fields[variable]) for at, fields in list(self.notifications) if variable in fields]

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=30):
        """Sends SIGTERM and waits. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._socket.shutdown(socket.SHUT_RD)
        self._socket.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description="Runs a service that tells its state by notifications.")
    parser.add_argument("--user")
    parser.add_argument("--seconds", type=float, default=30, help="until the service must be ready")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    def show(at, fields):
        print(f"{at:8.3f} " + " ".join(f"{name}={value}" for name, value in fields.items()), flush=True)

    watchdog = 30
    with Supervisor(options.command, watchdog=watchdog, user=options.user, show=show) as service:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda n, _: service.send_signal(n))
        try:
            service.wait_for("READY=1", options.seconds)
        except NotReady as problem:
            print(f"notify_supervisor: {problem}", file=sys.stderr)
            return service.process.returncode or 124
        while service.process.poll() is None:
            time.sleep(0.1)
            alive = max([at for at, _ in service.sent("WATCHDOG") + service.sent("READY")])
            if service.seconds() - alive > watchdog and not service.sent("STOPPING"):
                print("notify_supervisor: the service misses its watchdog's time", file=sys.stderr)
                return 125
        return service.process.returncode


if __name__ == "__main__":
    sys.exit(main())
