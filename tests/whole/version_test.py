#!/usr/bin/env python3
"""The version that the build writes (cmake/write_version.cmake), in trees with and without git.

    tests/whole/version_test.py
"""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Version(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="memcoord-version-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        (self.tree / "file").write_text("1\n")
        self.changes = self.folder / "CHANGELOG.md"
        self.changes.write_text("# Changes\n\n## 1.2.3 - 2026-11-26\n")

    def git(self, *words, folder=None):
        subprocess.run(["git", "-C", folder or self.tree, "-c", "user.name=a", "-c", "user.email=a@b", *words],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "--allow-empty", "-m", "a change")

    def values(self, package=""):
        output = self.folder / "version.cpp"
        settings = {"TEMPLATE": ROOT / "engine/cli/version.cpp.in", "OUTPUT": output, "RELEASE": "1.2.3",
                    "CHANGELOG": self.changes, "PACKAGE": package, "DATA": "/usr/share/memcoord", "SOURCE": self.tree}
        subprocess.run(["cmake", *(f"-D{name}={value}" for name, value in settings.items()),
                        "-P", ROOT / "cmake/write_version.cmake"], check=True, capture_output=True)
        return dict(re.findall(r'(k\w+) = "(.*)";', output.read_text()))

    def version(self):
        return self.values()["kVersion"]

    def test_a_tree_without_git_has_the_release_and_its_day(self):
        self.assertEqual(self.values(), {"kVersion": "1.2.3", "kPackage": "", "kRelease": "1.2.3",
                                         "kReleaseDay": "2026-11-26", "kInstalledData": "/usr/share/memcoord"})

    def test_a_commit_has_its_distance_from_the_tag_of_the_release(self):
        self.git("init")
        self.commit()
        self.assertRegex(self.version(), r"^1\.2\.3\+g[0-9a-f]{7,}$")
        self.git("tag", "v1.2.3")
        self.assertEqual(self.version(), "1.2.3")
        self.commit()
        self.commit()
        self.assertRegex(self.version(), r"^1\.2\.3\+2\.g[0-9a-f]{7,}$")

    def test_a_changed_file_makes_the_version_dirty(self):
        self.git("init")
        self.commit()
        self.git("tag", "v1.2.3")
        (self.tree / "file").write_text("2\n")
        self.assertRegex(self.version(), r"^1\.2\.3\+0\.g[0-9a-f]{7,}\.dirty$")

    def test_a_package_has_its_own_version_and_no_commit(self):
        self.git("init")
        self.commit()
        values = self.values("Debian 1.2.3-1")
        self.assertEqual((values["kVersion"], values["kPackage"]), ("1.2.3", "Debian 1.2.3-1"))

    def test_a_tree_inside_another_repository_has_no_commit(self):
        self.git("init", folder=self.folder)
        self.git("commit", "--allow-empty", "-m", "a change", folder=self.folder)
        self.assertEqual(self.version(), "1.2.3")

    def test_a_change_log_without_the_release_ends_the_build(self):
        self.changes.write_text("# Changes\n")
        with self.assertRaises(subprocess.CalledProcessError):
            self.values()


if __name__ == "__main__":
    unittest.main()
