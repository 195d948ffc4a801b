"""Three hosts, each in a network namespace with a libvirt daemon and a memcoord, and two Prometheus: one scrapes
them, the other federates the first and has the rules."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from world import ENVIRONMENT, RULES, World

HOSTS = {"kvm1": "10.77.0.11", "kvm2": "10.77.0.12", "kvm3": "10.77.0.13"}
OUTSIDE = "10.77.0.1"  # the address of everything that is on no host
TOKEN = "0123456789abcdef"  # of kvm1
DAEMON = "/usr/sbin/libvirtd"

# A user namespace, in which this process is root, with networks and mounts of its own.
OWN_NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
PROBE = "mount -t tmpfs none /run && mkdir /run/netns && ip link add probe type bridge && ip netns add probe"


def reason_to_skip():
    """Why this machine cannot have such hosts; None if it can."""
    for program in ("unshare", "ip", "virsh", "prometheus", DAEMON):
        if not shutil.which(program):
            return f"{program} is not installed"
    if subprocess.run([*OWN_NAMESPACES, "sh", "-c", PROBE], capture_output=True).returncode != 0:
        return "this machine lets this user create no network namespaces"
    return None


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def domain_xml(name, kib, balloon):
    return (f"<domain type='test'><name>{name}</name><memory>{kib}</memory><currentMemory>{kib}</currentMemory>"
            f"<os><type>hvm</type></os><devices><memballoon model='{balloon}'/></devices></domain>")


class Fleet(World):
    """World's processes and queries, on hosts of its own. Run it within OWN_NAMESPACES."""

    def start(self):
        self.connect_networks()
        for host in HOSTS:
            self.start_host(host)
        self.url = self.start_prometheus("central", "federation.yml", {
            "prometheus-room1:9090, prometheus-room2:9090": self.start_prometheus(
                "room1", "scrape.yml", {"kvm1:9798, kvm2:9798": ", ".join(f"{host}:9798" for host in HOSTS),
                                        "[kvm3:9100]": "[]"}).removeprefix("http://")})

    def connect_networks(self):
        run("mount", "-t", "tmpfs", "none", "/run")
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ip} {host}\n" for host, ip in HOSTS.items()))
        run("mount", "--bind", hosts, "/etc/hosts")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")
        for host, ip in HOSTS.items():
            run("ip", "netns", "add", host)
            run("ip", "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", host)
            run("ip", "link", "set", host, "master", "bridge", "up")
            run("ip", "-n", host, "address", "add", f"{ip}/24", "dev", "eth0")
            run("ip", "-n", host, "link", "set", "eth0", "up")
            run("ip", "-n", host, "link", "set", "lo", "up")

    def start_host(self, host):
        folder = self.folder / host
        folder.mkdir()
        own = [f"{name}={folder}" for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")]
        # Another user, because root's daemon is the machine's.
        self.start_process(f"libvirtd-{host}", "ip", "netns", "exec", host, "env", *own, "unshare", "--user",
                           "--map-user=1000", "--map-group=1000", DAEMON, "--timeout", "0")
        self.wait_until((folder / "libvirt" / "libvirt-sock").exists, f"libvirt on {host}")
        self.start_memcoord(host)
        # The test driver's host has 3 GiB. It keeps its domains while a client is connected.
        self.virsh(host, "destroy", "test")
        self.create_domain(host, "web", 512 * 1024, "virtio")

    def start_memcoord(self, host):
        token = self.folder / "token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        options = ["--metrics-token", token] if host == "kvm1" else []
        self.start_process(f"memcoord-{host}", "ip", "netns", "exec", host, self.program, "--connect", self.uri(host),
                           "--metrics", f"{HOSTS[host]}:9798", "--metrics-host", host, "--control",
                           self.folder / host / "control.sock", *options)
        self.wait_until(lambda: self.answers(f"http://{host}:9798/metrics"), f"memcoord on {host}")

    def stop_memcoord(self, host):
        at = [name for name, _ in self.processes].index(f"memcoord-{host}")
        _, process = self.processes.pop(at)
        process.terminate()
        process.wait()

    def uri(self, host):
        return f"test+unix:///default?socket={self.folder}/{host}/libvirt/libvirt-sock"

    def virsh(self, host, *words):
        return run("virsh", "--connect", self.uri(host), *words)

    def create_domain(self, host, name, kib, balloon):
        path = self.folder / f"{name}.xml"
        path.write_text(domain_xml(name, kib, balloon))
        self.virsh(host, "create", path)

    def start_prometheus(self, name, configuration, replacements):
        """Starts one with a file of packaging/prometheus. Returns its URL."""
        port = 9090 + sum(other.startswith("prometheus") for other, _ in self.processes)
        text = (RULES / configuration).read_text()
        rules = self.folder / name
        rules.mkdir()
        for file in ("alerts.yml", "recording.yml"):
            # Minutes until an alert fires become two seconds.
            (rules / file).write_text(re.sub(r"for: \d+m", "for: 2s", (RULES / file).read_text()))
        replacements |= {"/usr/share/memcoord/prometheus": str(rules), "scrape_interval: 15s": "scrape_interval: 1s"}
        for old, new in replacements.items():
            if old not in text:
                raise AssertionError(f"{configuration} no longer has {old}")
            text = text.replace(old, new)
        path = self.folder / f"{name}.yml"
        path.write_text(f"global:\n  evaluation_interval: 1s\n  external_labels:\n    site: {name}\n{text}")
        url = f"http://{OUTSIDE}:{port}"
        self.start_process(f"prometheus-{name}", "prometheus", f"--config.file={path}",
                           f"--storage.tsdb.path={self.folder / 'data' / name}",
                           f"--web.listen-address={url.removeprefix('http://')}", "--log.level=warn")
        self.wait_until(lambda: self.answers(f"{url}/-/ready"), f"Prometheus {name}")
        return url

    def firing(self, alert):
        """The hosts for which an alert fires at the central Prometheus."""
        return {one["labels"]["instance"] for one in self.api("alerts")["alerts"]
                if one["labels"]["alertname"] == alert and one["state"] == "firing"}

    def fleet_status(self, *options):
        """The exit code, and the JSON of memcoord fleet status over a file of all hosts."""
        path = self.folder / "hosts.txt"
        path.write_text(f"http://kvm1:9798 name=kvm1 token-file=token\nhttp://kvm2:9798 name=kvm2\n"
                        f"{self.folder}/kvm3/control.sock name=kvm3\n")
        done = subprocess.run([self.program, "fleet", "status", "--timeout", "30s", "--json", *options, path],
                              capture_output=True, text=True, env=ENVIRONMENT)
        if done.stderr:
            raise AssertionError(done.stderr)
        return done.returncode, json.loads(done.stdout)


def enter_namespaces():
    """Runs this script again within OWN_NAMESPACES, unless it is there already."""
    if os.environ.get("MEMCOORD_FLEET") == "1":
        return
    if reason := reason_to_skip():
        print(f"skipped: {reason}")
        sys.exit(77)
    os.execvpe(OWN_NAMESPACES[0], [*OWN_NAMESPACES, sys.executable, *map(str, [Path(sys.argv[0]).resolve(), *sys.argv[1:]])],
               {**os.environ, "MEMCOORD_FLEET": "1"})
