"""A Prometheus of the test's own, and runs of memcoord for it to scrape."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RULES = FOLDER.parent.parent / "packaging" / "prometheus"
PATIENCE = 60  # seconds, for a busy machine
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent"}

# Each host has an address of its own, because the label `instance` has no port.
BUSY, SHORT, GONE, FILE = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def get(url, headers=()):
    """The response's body and headers, also where the status tells of an error."""
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.read().decode(), response.headers
    except urllib.error.HTTPError as error:
        return error.read().decode(), error.headers


class World:
    """Starts everything; close() ends it, whatever has failed."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = Path(folder)
        self.processes = []
        self.files = None
        self.addresses = {host: f"{host}:{free_port(host)}" for host in (BUSY, SHORT, GONE)}
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        # Its memory moves with a policy that leaves some to grant.
        self.run_memcoord(BUSY, "busy.lua", "--policy", "halving")
        self.run_memcoord(SHORT, "short.lua", "--policy", FOLDER / "failing.lua", "--fallback-policy", "adaptive",
                          "--dry-run")
        self.serve_file(self.file_of_a_killed_run())
        self.url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
        self.start_process("prometheus", "prometheus", f"--config.file={self.configuration()}",
                           f"--storage.tsdb.path={self.folder / 'data'}",
                           f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn")
        self.wait_until(self.is_ready, "Prometheus")

    def run_memcoord(self, host, scenario, *options):
        self.start_process(f"memcoord-{scenario}", self.program, "--connect", f"sim:{FOLDER / scenario}",
                           "--metrics", self.addresses[host], "--control", self.folder / f"{scenario}.sock", *options)
        self.wait_until(lambda: self.answers(f"http://{self.addresses[host]}/metrics"), f"memcoord on {scenario}")

    def start_process(self, name, *command):
        log = open(self.folder / f"{name}.log", "w")
        with log:
            self.processes.append((name, subprocess.Popen(list(map(str, command)), env=ENVIRONMENT, stdout=log,
                                                          stderr=log, stdin=subprocess.DEVNULL)))

    def file_of_a_killed_run(self):
        """What --metrics-file leaves; in virtual time, so that its last tick is of 1970."""
        path = self.folder / "memcoord.prom"
        run = subprocess.Popen([self.program, "--connect", f"sim:{FOLDER / 'short.lua'}", "--no-wait", "--control", "off",
                                "--metrics-file", path], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        try:
            self.wait_until(path.exists, "the file of --metrics-file")
        finally:
            run.kill()
            run.wait()
        return path.read_bytes()

    def serve_file(self, text):
        """In the place of node_exporter, which adds the file to its own metrics."""
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.files = ThreadingHTTPServer((FILE, 0), Handler)
        self.addresses[FILE] = f"{FILE}:{self.files.server_port}"
        threading.Thread(target=self.files.serve_forever, daemon=True).start()

    def configuration(self):
        """scrape.yml with the paths and hosts of this test, and a scrape a second."""
        text = (RULES / "scrape.yml").read_text()
        targets = ", ".join(self.addresses[host] for host in (BUSY, SHORT, GONE))
        for old, new in (("/usr/share/memcoord/prometheus", str(RULES)),
                         ("[kvm1:9798, kvm2:9798]", f"[{targets}]"),
                         ("[kvm3:9100]", f"[{self.addresses[FILE]}]"),
                         ("scrape_interval: 15s", "scrape_interval: 1s")):
            if old not in text:
                raise AssertionError(f"scrape.yml no longer has {old}")
            text = text.replace(old, new)
        path = self.folder / "prometheus.yml"
        path.write_text(f"global:\n  evaluation_interval: 1s\n{text}")
        return path

    def is_ready(self):
        return self.answers(f"{self.url}/-/ready")

    @staticmethod
    def answers(url):
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as response:
                return response.status == 200
        except OSError:
            return False

    def wait_until(self, holds, what):
        end = time.monotonic() + PATIENCE
        while not (result := holds()):
            for name, process in self.processes:
                if process.poll() is not None:
                    raise AssertionError(f"{name} has ended:\n{(self.folder / f'{name}.log').read_text()}")
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come")
            time.sleep(0.2)
        return result

    def api(self, path, **parameters):
        """The data of an answer; AssertionError for an error."""
        body, _ = get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(body)
        if answer["status"] != "success" or answer.get("warnings"):
            raise AssertionError(f"{path} {parameters}: {body}")
        return answer["data"]

    def query(self, expression):
        """The series at this moment."""
        return self.api("query", query=expression)["result"]

    def query_range(self, expression):
        """The series of the last half minute."""
        now = time.time()
        return self.api("query_range", query=expression, start=now - 30, end=now, step=1)["result"]

    def close(self):
        for _, process in self.processes:
            process.send_signal(signal.SIGTERM)
        for _, process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.files:
            self.files.shutdown()
            self.files.server_close()
