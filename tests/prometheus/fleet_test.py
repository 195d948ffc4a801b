#!/usr/bin/env python3
"""Three hosts with a libvirt daemon and a memcoord each, Prometheus that scrapes and federates them with
packaging/prometheus, and memcoord fleet status.

    tests/prometheus/fleet_test.py PROGRAM [TEST...]

Exit code 77: this machine lets nobody create network namespaces, or a program is not installed.
"""

import sys
import tempfile
import unittest
from pathlib import Path

from fleet import HOSTS, Fleet, enter_namespaces


class ThreeHosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.fleet = Fleet(PROGRAM, folder.name)
        cls.addClassCleanup(cls.fleet.close)
        cls.await_state({host: "fine" for host in HOSTS})

    @classmethod
    def await_state(cls, expected):
        """Waits until fleet status and the central Prometheus have these states of the hosts."""
        def agree():
            told = {host["name"]: host.get("state") for host in cls.fleet.fleet_status()[1]["hosts"]}
            scraped = {series["metric"]["instance"]: series["metric"]["state"]
                       for series in cls.fleet.query("memcoord_host_state == 1")}
            return told == expected and scraped == expected
        cls.fleet.wait_until(agree, f"the states {expected}")

    def test_the_central_prometheus_has_every_host_and_its_sums(self):
        self.fleet.wait_until(lambda: len(self.fleet.query('up{job="memcoord"} == 1')) == len(HOSTS), "three hosts")
        total = self.fleet.wait_until(lambda: self.fleet.query("job:memcoord_host_memory_bytes:sum"), "the sum")
        self.assertEqual(total[0]["value"][1], str(3 * 3 * 1024 ** 3))
        self.assertEqual(total[0]["metric"]["site"], "room1")
        self.assertEqual(self.fleet.query("{__name__=~'memcoord_domain_.+'}"), [])

    def test_fleet_status_has_every_host_over_tcp_with_a_token_and_over_its_socket(self):
        code, status = self.fleet.fleet_status()
        self.assertEqual(code, 0)
        for host in status["hosts"]:
            self.assertGreaterEqual(host["headroom"], host["grantable"])
            self.assertEqual((host["policy"], host["total"], host["domains"]), ("adaptive", 3 * 1024 ** 3, 1))

    def test_an_alert_fires_for_the_host_that_is_made_short_and_for_no_other(self):
        self.fleet.create_domain("kvm2", "big", 4 * 1024 * 1024, "none")
        try:
            self.await_state({"kvm1": "fine", "kvm2": "short", "kvm3": "fine"})
            self.fleet.wait_until(lambda: self.fleet.firing("MemcoordHostShort"), "the alert")
            self.assertEqual(self.fleet.firing("MemcoordHostShort"), {"kvm2"})
            code, status = self.fleet.fleet_status()
            self.assertEqual((code, status["hosts"][0]["name"]), (0, "kvm2"))
            self.assertGreater(status["hosts"][0]["shortfall"], 1 << 30)
            code, fits = self.fleet.fleet_status("--fits", "512MiB")
            self.assertEqual((code, {host["name"] for host in fits["hosts"]}), (0, {"kvm1", "kvm3"}))
        finally:
            self.fleet.virsh("kvm2", "destroy", "big")
        self.await_state({host: "fine" for host in HOSTS})
        self.fleet.wait_until(lambda: not self.fleet.firing("MemcoordHostShort"), "the end of the alert")

    def test_a_host_whose_memcoord_ends_costs_its_own_row_and_fires_its_alert(self):
        self.fleet.stop_memcoord("kvm2")
        try:
            self.fleet.wait_until(lambda: "kvm2" in self.fleet.firing("MemcoordDown"), "the alert")
            code, status = self.fleet.fleet_status()
            self.assertEqual(code, 1)
            self.assertEqual(status["hosts"][0], {"name": "kvm2", "address": "http://kvm2:9798",
                                                  "problem": "cannot be reached: Connection refused"})
            self.assertEqual([host["state"] for host in status["hosts"][1:]], ["fine", "fine"])
        finally:
            self.fleet.start_memcoord("kvm2")
            self.fleet.virsh("kvm2", "destroy", "test")
            self.fleet.create_domain("kvm2", "web", 512 * 1024, "virtio")
        self.await_state({host: "fine" for host in HOSTS})
        self.fleet.wait_until(lambda: not self.fleet.firing("MemcoordDown"), "the end of the alert")


if __name__ == "__main__":
    enter_namespaces()
    PROGRAM = Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
