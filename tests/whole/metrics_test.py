#!/usr/bin/env python3
"""The metrics of real runs on simulated hosts: what promtool says of them, and what they count.

    tests/whole/metrics_test.py PROGRAM
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/memcoord").resolve()
SECONDS = 60  # for a step that a busy machine makes wait
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
HOSTILE = ['a"b', "back\\slash", "{x=\"1\"} 1", "new\nline", "\x1b[2J", "übung", "\x7f", "a b", "# HELP x", "ab\u202ecd"]


def lua(text):
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def host_of(names, more=""):
    domains = "".join(f"{{ name = {lua(name)}, maximum = 256 * MiB, demand = {{ {{ 0, 100 * MiB }} }} }},\n"
                      for name in names)
    return f'return {{ summary = "x", host = {{ total = 64 * GiB }}, duration = 86400, domains = {{\n{domains}{more}}} }}'


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=SECONDS)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self.path)


class Run:
    """A run in a folder of its own, with a control socket and a file of metrics."""

    def __init__(self, test, scenario, *options, interval="50ms"):
        scratch = tempfile.TemporaryDirectory()
        test.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        (self.folder / "host.lua").write_text(scenario)
        self.socket, self.file = self.folder / "control.sock", self.folder / "memcoord.prom"
        self.process = subprocess.Popen(
            [PROGRAM, "--connect", "sim:host.lua", "--interval", interval, "--control", self.socket, "--metrics-file",
             self.file, "--log-level", "off", *options], cwd=self.folder, stdout=subprocess.DEVNULL)
        test.addCleanup(self.end)
        self.wait_until(self.file.exists)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(SECONDS)

    def request(self, method, path, headers=None, body=None):
        connection = UnixConnection(self.socket)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.getheader("Content-Type"), text

    def get(self, path, headers=None):
        return self.request("GET", path, headers)

    def values(self):
        return samples_of(self.get("/metrics")[1])

    def wait_until(self, holds):
        end = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("waited in vain" if self.process.poll() is None else "the run has ended")
            time.sleep(0.02)


def samples_of(text):
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        assert found, f"not a sample: {line!r}"
        name, labels, value = found.groups()
        key = name if not labels else f"{name}{{{labels}}}"
        assert key not in samples, f"twice: {key}"
        samples[key] = float(value)
    return samples


def promtool(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS, check=False)


class Metrics(unittest.TestCase):
    def assert_valid(self, run):
        """Both formats and the file. promtool reads Prometheus' text alone."""
        kind, text = run.get("/metrics")
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        checked = promtool(text)
        self.assertEqual((checked.returncode, checked.stdout.decode()), (0, ""))
        checked = promtool(run.file.read_text())
        self.assertEqual((checked.returncode, checked.stdout.decode()), (0, ""))
        kind, other = run.get("/metrics", OPENMETRICS)
        self.assertEqual(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(other.endswith("\n# EOF\n"))
        self.assertEqual(other.count("# EOF"), 1)
        run.wait_until(lambda: self.differences(run) == [])
        return text

    def differences(self, run):
        """The samples that one format has alone. A tick may come in between."""
        bounds = re.compile(r'le="(\d+)"')
        names = {bounds.sub(r'le="\1.0"', name) for name in run.values()}
        return sorted(names ^ set(samples_of(run.get("/metrics", OPENMETRICS)[1])))

    def test_promtool_finds_no_fault_in_the_metrics_of_a_host_without_domains(self):
        later = '{ name = "later", maximum = 256 * MiB, start = 3600, demand = { { 3600, 100 * MiB } } }'
        run = Run(self, host_of([], later))
        self.assertNotIn("memcoord_domain_", self.assert_valid(run))

    def test_promtool_finds_no_fault_in_hostile_names_and_every_domain_has_its_own_label(self):
        run = Run(self, host_of(HOSTILE))
        text = self.assert_valid(run)
        self.assertEqual(text.count("memcoord_domain_actual_bytes{"), len(HOSTILE))
        self.assertIn('memcoord_domain_actual_bytes{domain="a\\"b"} ', text)
        self.assertIn('memcoord_domain_actual_bytes{domain="back\\\\slash"} ', text)
        self.assertIn('memcoord_domain_actual_bytes{domain="übung"} ', text)

    def test_promtool_finds_no_fault_in_the_metrics_of_300_domains(self):
        run = Run(self, host_of(f"guest-{i}" for i in range(300)), interval="500ms")
        self.assertEqual(self.assert_valid(run).count("memcoord_domain_actual_bytes{"), 300)

    def test_a_hung_domain_and_a_silent_guest_have_no_figures(self):
        faults = "".join(f'{{ name = "{kind}", maximum = 256 * MiB, demand = {{ {{ 0, 100 * MiB }} }}, '
                         f'faults = {{ {{ kind = "{kind}", from = 2, to = 86400 }} }} }},\n' for kind in ("hung", "silent"))
        run = Run(self, host_of(["well"], faults))
        run.wait_until(lambda: run.values()['memcoord_domains{state="hung"}'] == 1)
        run.wait_until(lambda: 'memcoord_domain_unused_bytes{domain="silent"}' not in run.values())
        text = self.assert_valid(run)
        found = samples_of(text)
        self.assertEqual(found['memcoord_domain_skipped{domain="hung"}'], 1)
        self.assertEqual(found['memcoord_domain_skipped{domain="silent"}'], 1)
        self.assertIn('memcoord_domain_report_timestamp_seconds{domain="silent"}', found)
        self.assertIn('memcoord_domain_unused_bytes{domain="well"}', found)
        self.assertGreater(found['memcoord_domain_report_timestamp_seconds{domain="hung"}'], 0)
        self.assertEqual([name for name in found if 'domain="hung"' in name and "_info" not in name],
                         ['memcoord_domain_report_timestamp_seconds{domain="hung"}', 'memcoord_domain_skipped{domain="hung"}'])

    def test_reloads_count_and_those_that_fail_count_apart(self):
        policy = Path(__file__).parents[2] / "policies" / "halving.lua"
        with tempfile.TemporaryDirectory() as folder:
            mine = Path(folder) / "mine.lua"
            mine.write_text(policy.read_text())
            self.reload(Run(self, host_of(["a"]), "--policy", mine), mine)

    def reload(self, run, policy):
        self.assertIn("done", run.request("POST", "/v1/reload")[1])
        run.wait_until(lambda: run.values()['memcoord_policy_reloads_total{result="ok"}'] == 1)
        run.process.send_signal(signal.SIGHUP)
        run.wait_until(lambda: run.values()['memcoord_policy_reloads_total{result="ok"}'] == 2)
        policy.write_text("this is no Lua")
        run.request("POST", "/v1/reload")
        run.process.send_signal(signal.SIGHUP)
        run.wait_until(lambda: run.values()['memcoord_policy_reloads_total{result="failed"}'] == 2)

    def test_ticks_count_on_and_those_that_are_skipped_count_apart(self):
        run = Run(self, host_of(["a"]))
        ticks = 'memcoord_ticks_total{result="ok"}'
        first = run.values()[ticks]
        run.wait_until(lambda: run.values()[ticks] > first)
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        run.process.send_signal(signal.SIGCONT)
        run.wait_until(lambda: run.values()["memcoord_ticks_skipped_total"] > 0)

    def test_ticks_that_the_journal_loses_count(self):
        with tempfile.TemporaryDirectory() as folder:
            run = Run(self, host_of(["a"]), "--journal", Path(folder) / "ticks.jsonl")
            self.assertEqual(run.values()["memcoord_journal_lost_ticks_total"], 0)
        run.wait_until(lambda: run.values()["memcoord_journal_lost_ticks_total"] > 0)
        self.assertIn("The journal loses ticks: ", run.get("/v1/live")[1])

    def test_the_file_is_readable_to_others_and_goes_with_the_run(self):
        old = os.umask(0o077)
        self.addCleanup(os.umask, old)
        run = Run(self, host_of(["a"]))
        self.assertEqual(run.file.stat().st_mode & 0o777, 0o644)
        self.assertEqual(run.end(), 0)
        self.assertFalse(run.file.exists())

    def test_without_the_metrics_of_domains_no_name_is_there(self):
        run = Run(self, host_of(["secret"]), "--metrics-domains", "off")
        self.assertNotIn("secret", self.assert_valid(run))
        self.assertNotIn("secret", run.get("/metrics?domains=on")[1])

    def test_a_client_may_leave_the_domains_out(self):
        run = Run(self, host_of(["web"]))
        self.assertIn('domain="web"', run.get("/metrics")[1])
        self.assertNotIn('domain="web"', run.get("/metrics?domains=off")[1])

    def test_a_file_that_cannot_be_written_is_one_clear_line_at_the_start(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "folder.prom").mkdir()
        (folder / "device.prom").symlink_to("/dev/null")
        for path, why in (("/nowhere/memcoord.prom", "its folder must exist"), (f"{folder}/device.prom", "is a device"),
                          (f"{folder}/folder.prom", "is a folder")):
            with self.subTest(path):
                refused = subprocess.run([PROGRAM, "--connect", "sim:", "--ticks", "1", "--metrics-file", path],
                                         capture_output=True, text=True, timeout=SECONDS, check=False)
                self.assertNotEqual(refused.returncode, 0)
                self.assertEqual(len(refused.stderr.splitlines()), 1, refused.stderr)
                self.assertIn(path, refused.stderr)
                self.assertIn(why, refused.stderr)


if __name__ == "__main__":
    unittest.main()
