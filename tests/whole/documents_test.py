#!/usr/bin/env python3
"""scripts/docs itself: what it takes for stale, and how it brings pages up to date.

    tests/whole/documents_test.py PROGRAM

Each test writes a small tree of documents and runs scripts/docs on it.
"""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "docs"
PROGRAM = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else SCRIPT.parent.parent / "build" / "memcoord"

POLICY = """
    <!-- policy: mine.lua -->
    ```lua
    return { api = 1, summary = "grows", tick = function(ctx) %s end }
    ```
    """


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        (self.root / "docs").mkdir()
        self.write("README.md", "[all](docs/README.md)")
        self.write("docs/README.md", "[page](page.md)")

    def write(self, name, text):
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(textwrap.dedent(text).lstrip("\n") + "\n")

    def page(self, text):
        self.write("docs/page.md", text)

    def run_docs(self, what):
        environment = os.environ | {"MEMCOORD_DOCS_ROOT": str(self.root), "MEMCOORD": str(PROGRAM)}
        done = subprocess.run([sys.executable, SCRIPT, what], env=environment, text=True, stderr=subprocess.STDOUT,
                              stdout=subprocess.PIPE)
        return done.returncode, done.stdout

    def expect_wrong(self, *texts):
        code, said = self.run_docs("check")
        self.assertEqual(code, 1, said)
        for text in texts:
            self.assertIn(text, said)

    def expect_right(self):
        code, said = self.run_docs("check")
        self.assertEqual((code, said), (0, ""))

    def updated(self):
        code, said = self.run_docs("update")
        self.assertEqual(code, 0, said)
        return (self.root / "docs" / "page.md").read_text()

    def test_an_output_that_differs_is_stale_with_its_line_and_a_difference(self):
        self.page("""
            Some words.

            ```console
            $ echo one; echo two
            one
            three
            ```
            """)
        self.expect_wrong("docs/page.md:6: stale", "-three", "+two")
        self.assertIn("$ echo one; echo two\none\ntwo\n```", self.updated())
        self.expect_right()

    def test_a_check_changes_nothing(self):
        self.page("```console\n$ echo one\n```")
        before = (self.root / "docs" / "page.md").read_text()
        self.expect_wrong("stale")
        self.assertEqual((self.root / "docs" / "page.md").read_text(), before)

    def test_each_command_of_a_block_has_its_output_below_it(self):
        self.page("""
            ```console
            $ echo a \\
              b
            $ touch made
            $ ls made
            ```
            """)
        self.assertIn("$ echo a \\\n  b\na b\n$ touch made\n$ ls made\nmade\n", self.updated())

    def test_what_a_page_shows_of_an_output_is_chosen_above_it(self):
        for shows, lines in {"1, 3-4": "1\n...\n3\n4\n...", "last 2": "...\n9\n10", "/^5/+1": "...\n5\n6\n...",
                             "all /0|1/": "1\n...\n10", "last /[1-8]/, /2/": "...\n2\n...\n10"}.items():
            with self.subTest(shows):
                self.page(f"<!-- shows: {shows} -->\n```console\n$ seq 10\n```")
                self.assertIn(f"$ seq 10\n{lines}\n```", self.updated())

    def test_a_choice_that_finds_nothing_is_wrong(self):
        self.page("<!-- shows: /eleven/ -->\n```console\n$ seq 10\n```")
        self.expect_wrong("docs/page.md:2", "'shows: /eleven/' finds nothing")

    def test_a_command_that_fails_is_wrong_unless_the_page_says_so(self):
        self.page("```sh\ntrue\nfalse\necho on\n```")
        self.expect_wrong("docs/page.md:2: exit code 1")
        self.page("<!-- exit code: 1 -->\n```sh\nfalse\n```")
        self.expect_right()

    def test_a_block_without_a_kind_is_wrong(self):
        for block in ("```\noutput\n```", "```lua\nreturn {}\n```", "    indented"):
            with self.subTest(block):
                self.page(f"Words.\n\n{block}")
                self.expect_wrong("docs/page.md:3")

    def test_a_comment_that_is_misspelt_is_wrong(self):
        self.page("<!-- not-run: needs root -->\n```sh\nfalse\n```")
        self.expect_wrong("a comment says 'not-run:'")

    def test_what_cannot_run_says_why(self):
        self.page("<!-- not run: needs root -->\n```sh\nfalse\n```")
        self.expect_right()

    def test_a_policy_that_a_page_shows_is_checked(self):
        self.page(POLICY % "ctx.nothing()")
        self.expect_wrong("docs/page.md:3: exit code 1: memcoord check", "ctx has no 'nothing'")
        self.page(POLICY % "")
        self.expect_right()

    def test_a_test_that_a_page_shows_is_run(self):
        test = """
            <!-- test: mine_test.lua -->
            ```lua
            test("it asks for nothing", function()
              expect(#policy("mine.lua"):tick({ domains = { { name = "a" } } }).log):equals(%d)
            end)
            ```
            """
        self.page(textwrap.dedent(POLICY % "") + textwrap.dedent(test % 1))
        self.expect_wrong("memcoord test mine_test.lua", "1 failed")
        self.page(textwrap.dedent(POLICY % "") + textwrap.dedent(test % 0))
        self.expect_right()

    def test_settings_that_are_not_taken_are_wrong(self):
        settings = """
            <!-- settings: web.xml -->
            ```xml
            <metadata><memcoord:domain xmlns:memcoord="https://memcoord.org/xmlns/domain/1.0" weight="%s"/></metadata>
            ```
            """
        self.page(settings % "heavy")
        self.expect_wrong("docs/page.md:3", "weight")
        self.page((settings % "2").replace("memcoord.org", "example.org"))
        self.expect_wrong("docs/page.md:3", "none of these settings")
        self.page(settings % "2")
        self.expect_right()

    def test_a_configuration_that_is_refused_is_wrong(self):
        self.page("<!-- configuration: memcoord.toml -->\n```toml\nintervall = 2\n```")
        self.expect_wrong("docs/page.md:3: exit code 2", "intervall")

    def test_a_run_without_an_end_is_ended_as_by_its_user(self):
        self.page("<!-- ended by: Ctrl-C -->\n```sh\nmemcoord --dry-run\n```")
        self.expect_right()

    def test_the_time_of_day_is_the_same_in_every_run(self):
        self.page("<!-- shows: / tick 1 /, last 1 -->\n```console\n$ memcoord --connect test:///default --ticks 1 2>&1\n```")
        text = self.updated()
        self.assertIn("memcoord  tick 1  10:00:00", text)
        self.assertIn("10:00:00 info all ticks done", text)

    def test_timings_and_the_folder_are_the_same_in_every_run(self):
        self.page("```console\n$ echo '\"sample_s\":'0.0$RANDOM; echo $PWD/a.lua\n```")
        self.assertIn('\n"sample_s":0.001\na.lua\n', self.updated())
        self.expect_right()

    def test_the_simulated_hosts_clock_stays(self):
        self.page("<!-- shows: last /tick 3/ -->\n```console\n$ memcoord --connect sim: --no-wait --ticks 3\n```")
        self.assertIn("memcoord  tick 3  00:00:02", self.updated())

    def test_a_table_is_made_by_the_command_above_it(self):
        self.page("<!-- table: printf '| a |\\n| - |\\n| 1 |\\n' -->\n| old |\n\nAfter.")
        self.expect_wrong("docs/page.md:2: stale", "-| old |", "+| 1 |")
        self.assertIn("| a |\n| - |\n| 1 |\n\nAfter.", self.updated())

    def test_a_file_that_a_page_keeps_is_what_its_command_makes(self):
        self.page("[log](a.log)\n\n```sh\nseq 3 >a.log\n```\n\n<!-- keeps: a.log -->")
        self.expect_wrong("docs/a.log:1: stale")
        self.updated()
        self.assertEqual((self.root / "docs" / "a.log").read_text(), "1\n2\n3\n")
        self.expect_right()
        self.write("docs/a.log", "1")
        self.expect_wrong("docs/a.log:1: stale", "+2")

    def test_links_lead_to_files_and_headings(self):
        self.page("## A `heading`, here\n\n[a](#a-heading-here) [b](#nowhere)\n[c](gone.md)")
        self.expect_wrong("docs/page.md:3: a link to #nowhere: no such heading", "docs/page.md:4: a link to gone.md")

    def test_every_file_is_reached_by_a_link(self):
        self.page("Words.")
        self.write("docs/other.md", "Words.")
        self.expect_wrong("docs/other.md: no page links to it")

    def test_pages_of_folders_and_of_the_tests_are_checked(self):
        self.page("[folder](folder/README.md)")
        for name in ("docs/folder/README.md", "tests/README.md"):
            with self.subTest(name):
                self.write(name, "[gone](gone.md)\n\n```console\n$ echo one\n```")
                self.expect_wrong(f"{name}:1: a link to gone.md", f"{name}:5: stale")
                self.write(name, "Words.")


if __name__ == "__main__":
    unittest.main()
