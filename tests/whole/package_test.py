#!/usr/bin/env python3
"""Installs the Debian package in a bare Debian, upgrades it, runs its service, removes it and purges it.

    tests/whole/package_test.py [PACKAGE.deb]

Without PACKAGE.deb, scripts/package builds it. Needs root; debootstrap makes the bare Debian, of this machine's
release and from its mirror, and ~/.cache/memcoord keeps it for the next run. Mounts and processes end with the test.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from notify_supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = "etc/memcoord/memcoord.toml"
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt
INSIDE = "--inside"  # the first argument of the process that has its own mounts


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class BareDebian:
    """A copy of the cached bare system, to run commands in."""

    def __init__(self, folder):
        self.folder = folder
        release = platform.freedesktop_os_release()["VERSION_CODENAME"]
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "memcoord"
        base = cache / f"debian-{release}"
        if not base.exists():
            self._bootstrap(base, release)
        run("cp", "-a", "--reflink=auto", base, folder)
        # Downloads of one run serve the next one.
        archives = cache / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", archives, folder / "var/cache/apt/archives")
        run("mount", "-t", "proc", "proc", folder / "proc")
        for name in ("resolv.conf", "hosts"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), folder / "etc" / name)
        (folder / "etc/apt/apt.conf.d/90test").write_text(
            'APT::Install-Recommends "false";\nAPT::Sandbox::User "root";\nBinary::apt-get::APT::Keep-Downloaded-Packages "true";\n')
        self.run("apt-get", "update")

    @staticmethod
    def _bootstrap(base, release):
        mirrors = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {release}")
        mirror = (mirrors.split() or ["http://deb.debian.org/debian"])[0]
        print(f"making a bare Debian ({release}) from {mirror} ...", flush=True)
        base.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=base.parent))
        new.chmod(0o755)
        run("debootstrap", "--variant=minbase", release, new, mirror)
        new.rename(base)

    def path(self, name):
        return self.folder / name

    def run(self, *command):
        return run("chroot", self.folder, *command, env=self.environment())

    @staticmethod
    def environment():
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
                "DEBIAN_FRONTEND": "noninteractive"}

    def install(self, package):
        """By apt, with the dependencies; it keeps configurations that the administrator has changed."""
        shutil.copy(package, self.path("root"))
        return self.run("apt-get", "install", "-y", "-o", "Dpkg::Options::=--force-confold", f"/root/{Path(package).name}")

    def version(self):
        return self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "memcoord")


def older(package, folder):
    """The same package as an older version, whose configuration differs."""
    tree = folder / "older"
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 0.1.9-1", control.read_text(), flags=re.M))
    with open(tree / CONFIGURATION, "a", encoding="utf-8") as configuration:
        configuration.write("# A line of the older version.\n")
    result = folder / "memcoord_0.1.9-1.deb"
    run("dpkg-deb", "--root-owner-group", "-b", tree, result)
    return result


class Unit:
    """The installed unit: its settings, and its service under a supervisor instead of systemd."""

    def __init__(self, debian):
        self.debian = debian
        lines = debian.path("lib/systemd/system/memcoord.service").read_text().splitlines()
        self.settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def folders(self):
        for key, parent in (("RuntimeDirectory", "run"), ("StateDirectory", "var/lib"), ("LogsDirectory", "var/log")):
            for name in self.settings.get(key, "").split():
                self.debian.path(parent).joinpath(name).mkdir(exist_ok=True)
                self.debian.run("chown", self.user() + ":" + self.user(), f"/{parent}/{name}")

    def user(self):
        return self.settings["User"]

    def start(self, log):
        self.folders()
        words = self.settings["ExecStart"].split()
        user = self.user()
        return Supervisor(["chroot", f"--userspec={user}:{user}", "--groups=", self.debian.folder, *words],
                          watchdog=10, abstract=True, environment=self.debian.environment(),
                          stdout=subprocess.DEVNULL, stderr=log)

    def wait_until_started(self, service):
        if self.settings["Type"].startswith("notify"):
            service.wait_for("READY=1")
        else:
            deadline = time.monotonic() + 30
            while not self.debian.path("run/memcoord/control.sock").exists() and time.monotonic() < deadline:
                time.sleep(0.05)


class Package(unittest.TestCase):
    package = None  # the package's path

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memcoord-package-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.debian = BareDebian(self.folder / "debian")
        self.addCleanup(run, "umount", self.debian.path("proc"), self.debian.path("var/cache/apt/archives"))
        self.older = older(self.package, self.folder)

    def configuration(self):
        return self.debian.path(CONFIGURATION)

    def test_from_its_installation_to_its_purge(self):
        self.check_installation()
        self.check_upgrade_of_an_unchanged_configuration()
        self.check_own_tests()
        self.check_service()
        self.check_purge()
        self.check_upgrade_of_a_changed_configuration()
        self.check_removal()
        self.check_purge()

    def check_installation(self):
        self.debian.install(self.older)
        self.assertEqual(self.debian.version(), "ii 0.1.9-1")
        user = self.debian.run("getent", "passwd", "memcoord").split(":")
        self.assertIn("nologin", user[-1])
        self.assertNotIn("libvirt", self.debian.run("id", "-nG", "memcoord"))
        # Enabled: systemd starts it with the host.
        self.assertTrue(self.debian.path("etc/systemd/system/multi-user.target.wants/memcoord.service").is_symlink())

    def check_upgrade_of_an_unchanged_configuration(self):
        self.assertIn("older version", self.configuration().read_text())
        self.debian.install(self.package)
        self.assertNotIn("0.1.9", self.debian.version())
        self.assertNotIn("older version", self.configuration().read_text())
        self.assertIn("Debian " + self.debian.version().split()[-1], self.debian.run("memcoord", "--version"))

    def check_own_tests(self):
        """The package's autopkgtests, on what is installed."""
        tests = ROOT / "packaging/debian/tests"
        names = [name for line in (tests / "control").read_text().splitlines() if line.startswith("Tests:")
                 for name in line.split()[1:]]
        self.assertGreaterEqual(len(names), 3)
        self.debian.run("apt-get", "install", "-y", "systemd")
        for name in names:
            shutil.copy(tests / name, self.debian.path("root"))
            self.debian.run(f"/root/{name}")

    def check_service(self):
        """The installed unit's command as its user, with a host of libvirt's test driver."""
        with open(self.configuration(), "a", encoding="utf-8") as configuration:
            configuration.write('connect = "test:///default"\n')
        unit = Unit(self.debian)
        log = self.folder / "log"
        with open(log, "wb") as output, unit.start(output) as service:
            unit.wait_until_started(service)
            status = self.debian.run("memcoord", "status")
            owner = self.debian.run("stat", "-c", "%U", f"/proc/{service.process.pid}").strip()
            self.assertEqual(service.stop(), 0, log.read_text())
        self.assertRegex(status, r"(?m)^test\b|1 domain")
        self.assertIn("dry run", status)
        self.assertEqual(owner, "memcoord")
        (segment,) = self.debian.path("var/lib/memcoord/journal").glob("ticks-*.jsonl")
        self.assertIn('"name":"test"', segment.read_text())

    def check_upgrade_of_a_changed_configuration(self):
        self.debian.install(self.older)
        changed = self.configuration().read_text().replace("# interval = ", "interval = ")
        self.configuration().write_text(changed)
        self.debian.install(self.package)
        self.assertEqual(self.configuration().read_text(), changed)
        self.assertTrue(Path(f"{self.configuration()}.dpkg-dist").exists(), "the new configuration is not offered")
        self.debian.run("memcoord", "--config", f"/{CONFIGURATION}", "--connect", "sim:case1", "--no-wait", "--ticks", "2",
                        "--journal", "/tmp/ticks.jsonl")

    def write_journal(self):
        """As a service that has run for a while leaves it."""
        journal = self.debian.path("var/lib/memcoord/journal/ticks-20260131T101502Z.jsonl")
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_text("{}\n")
        return journal

    def check_removal(self):
        journal = self.write_journal()
        self.debian.run("apt-get", "remove", "-y", "memcoord")
        self.assertFalse(self.debian.path("usr/bin/memcoord").exists())
        for file in [self.configuration(), journal]:
            self.assertTrue(file.exists(), file)

    def check_purge(self):
        """Nothing stays but the user, whose number must not go to another one."""
        self.write_journal()
        self.debian.run("apt-get", "purge", "-y", "memcoord")
        left = self.debian.run("find", "/", "-xdev", "-name", "*memcoord*", "-not", "-path", "/root/*", "-not", "-path", "/run/*")
        self.assertEqual(left, "")
        self.assertEqual(self.debian.run("dpkg", "--audit"), "")
        self.debian.run("getent", "passwd", "memcoord")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def main():
    words = sys.argv[1:]
    if words[:1] != [INSIDE]:
        if os.geteuid() != 0:
            skip("the package is installed in a bare Debian, which needs root")
        if not shutil.which("debootstrap"):
            subprocess.run([ROOT / "scripts/packages", "install", "package"], check=False)
        if not shutil.which("debootstrap"):
            skip("debootstrap is not installed; scripts/packages install package")
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        if subprocess.run([*own, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            skip("this machine lets root mount nothing")
        sys.exit(subprocess.run([*own, sys.executable, __file__, INSIDE, *words]).returncode)
    if len(words) > 1:
        Package.package = Path(words[1]).resolve()
    else:
        built = ROOT / "build-package"
        subprocess.run([ROOT / "scripts/package", built], check=True)
        Package.package = next(built.glob("memcoord_*.deb"))
    # Inside, processes have other numbers than outside.
    run("mount", "-t", "proc", "proc", "/proc")
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
