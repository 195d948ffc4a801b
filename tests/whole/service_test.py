#!/usr/bin/env python3
"""memcoord under a service manager that speaks systemd's notify protocol.

    tests/whole/service_test.py PROGRAM
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from notify_supervisor import NotReady, Supervisor

PROGRAM = Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/memcoord").resolve()


class Service(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memcoord-service-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.socket = self.folder / "control.sock"

    def run_service(self, *arguments, connect="sim:numa", **options):
        log = open(self.folder / "log", "ab")
        self.addCleanup(log.close)
        service = Supervisor([PROGRAM, "--connect", connect, "--control", self.socket, *arguments],
                             stdout=subprocess.DEVNULL, stderr=log, **options)
        self.addCleanup(service.__exit__, None, None, None)
        return service

    def control(self, *words):
        return subprocess.run([PROGRAM, *words, "--control", self.socket], capture_output=True, text=True, timeout=30)

    def test_is_ready_once_the_control_socket_answers(self):
        service = self.run_service("1")
        service.wait_for("READY=1")
        answer = self.control("status")
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_reports_the_figures_of_a_tick_in_one_line(self):
        service = self.run_service("1", "--dry-run")
        service.wait_for("READY=1")
        _, fields = service.wait_for("STATUS")
        self.assertRegex(fields["STATUS"],
                         r"^\d+ domains, \d+ skipped; host .*B, .* grantable; policy adaptive, dry run$")

    def test_feeds_the_watchdog_while_the_loop_waits(self):
        service = self.run_service("10min", watchdog=1.0)
        service.wait_for("READY=1")
        for _ in range(8):
            service.wait_for("WATCHDOG=1")
        self.assertEqual(len([text for _, text in service.sent("STATUS") if "grantable" in text]), 1)

    def test_without_a_watchdog_time_sends_no_keep_alive(self):
        service = self.run_service("100ms", "--ticks", "5")
        service.process.wait(30)
        service.wait_for("STOPPING=1")
        self.assertEqual(service.sent("WATCHDOG"), [])

    def test_a_watchdog_time_for_another_process_is_not_its_own(self):
        service = self.run_service("100ms", "--ticks", "5",
                                   environment={**os.environ, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
        service.process.wait(30)
        self.assertEqual(service.sent("WATCHDOG"), [])

    def check_reload(self, service):
        _, reloading = service.wait_for("RELOADING=1")
        self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
        service.wait_for("READY=1")

    def test_reports_a_reload_by_SIGHUP(self):
        service = self.run_service("10min")
        service.wait_for("READY=1")
        service.send_signal(signal.SIGHUP)
        self.check_reload(service)

    def test_reports_a_reload_that_fails(self):
        policy = self.folder / "mine.lua"
        policy.write_text("return { api = 1, summary = 's', tick = function(ctx) end }")
        service = self.run_service("10min", "--policy", policy)
        service.wait_for("READY=1")
        policy.write_text("no policy")
        service.send_signal(signal.SIGHUP)
        self.check_reload(service)
        self.assertIn("the old one stays", (self.folder / "log").read_text())

    def test_reports_a_reload_by_the_control_socket(self):
        service = self.run_service("10min")
        service.wait_for("READY=1")
        answer = self.control("reload")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.check_reload(service)

    def test_reports_its_end_before_it_restores_memory_and_stays_alive_meanwhile(self):
        # Guests get memory in the first tick, and the restoration waits until they have given it back.
        service = self.run_service("1", "--ticks", "3", "--restore-on-exit", watchdog=0.4)
        self.assertEqual(service.process.wait(60), 0)
        service.wait_for("STOPPING=1")
        service.wait_for("EXTEND_TIMEOUT_USEC=400000")
        self.assertIn("3 domains restored to the memory", (self.folder / "log").read_text())

    def test_reports_over_an_abstract_socket(self):
        service = self.run_service("1", abstract=True, watchdog=1.0)
        service.wait_for("READY=1")
        service.wait_for("WATCHDOG=1")
        service.send_signal(signal.SIGTERM)
        service.wait_for("STOPPING=1")

    def test_is_never_ready_if_its_host_cannot_be_opened(self):
        service = self.run_service(connect="test:///no/such/file.xml")
        with self.assertRaises(NotReady):
            service.wait_for("READY=1")
        self.assertNotEqual(service.process.returncode, 0)
        self.assertEqual([text for _, text in service.sent("STATUS")], ["connects to test:///no/such/file.xml"])

    def test_a_manager_that_does_not_listen_costs_one_line_of_the_log(self):
        run = subprocess.run([PROGRAM, "--connect", "sim:numa", "100ms", "--ticks", "3"], capture_output=True,
                             text=True, timeout=60, env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "none")})
        self.assertEqual(run.returncode, 0)
        self.assertEqual(run.stderr.count("the service manager does not get the run's state"), 1, run.stderr)

    def test_journald_gets_moves_with_their_fields(self):
        run = subprocess.run(["unshare", "--user", "--map-root-user", "--mount",
                              Path(__file__).parent / "fake_journald.py", PROGRAM, "--connect", "sim:numa", "--no-wait",
                              "--ticks", "100", "--policy", "halving"], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        *entries, rest = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(rest, {"stderr": ""})
        moves = [entry for entry in entries if "MEMCOORD_TO_BYTES" in entry]
        self.assertTrue(moves)
        for entry in moves:
            name, = entry["MEMCOORD_DOMAIN"]
            self.assertTrue(entry["MESSAGE"][0].startswith(name + ": "), entry)
            self.assertNotEqual(int(entry["MEMCOORD_FROM_BYTES"][0]), int(entry["MEMCOORD_TO_BYTES"][0]))
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], ["memcoord"])
        self.assertTrue([entry for entry in moves if "gradual" in entry.get("MEMCOORD_RULE", [])])
        self.assertEqual(entries[-1]["PRIORITY"], ["6"])

    def test_without_journald_the_log_goes_to_standard_error(self):
        with open(self.folder / "log", "wb") as log:
            info = os.fstat(log.fileno())
            subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                            'mount -t tmpfs none /run; exec "$@"', "sh", PROGRAM, "--connect", "sim:numa", "--no-wait",
                            "--ticks", "3"], stdout=subprocess.DEVNULL, stderr=log, timeout=60, check=True,
                           env={**os.environ, "JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"})
        lines = (self.folder / "log").read_text().splitlines()
        self.assertTrue(lines[-1].startswith("<6>all ticks done"), lines)

    def test_without_a_manager_says_nothing(self):
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        run = subprocess.run([PROGRAM, "--connect", "sim:numa", "100ms", "--ticks", "3"], capture_output=True,
                             text=True, timeout=60, env=environment)
        self.assertEqual(run.returncode, 0)
        self.assertNotIn("manager", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
