#!/usr/bin/env python3
"""The screen of memcoord top and of a foreground run, in a real terminal that tmux makes.

    tests/screens/screens_test.py PROGRAM SERVE_JOURNAL [TEST...]

stored/NAME.txt is the text of a terminal. Each shows the last tick of a simulated
run on a full host (guests.lua), in which three guests swap. MEMCOORD_UPDATE_REFERENCE=1 writes them anew.
"""

import difflib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROGRAM = Path(sys.argv.pop(1)).resolve()
SERVER = Path(sys.argv.pop(1)).resolve()
UPDATE = os.environ.get("MEMCOORD_UPDATE_REFERENCE") == "1"

PATIENCE = 30  # seconds, for a busy machine
TICKS = 30
ONE_TICK = ["--interval", "1h", "--min-interval", "0"]  # no early tick follows
SHORT_GUESTS = ["build", "mail", "shop"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "PS1": "$ ", "HOME": "/nonexistent"}


class Terminal:
    """A terminal of a size, in which a shell runs."""

    def __init__(self, folder, columns, lines, environment=()):
        self.socket = str(folder / "tmux")
        configuration = folder / "tmux.conf"
        configuration.write_text("set -g status off\nset -g default-terminal screen\nset -s escape-time 0\n")
        self.tmux("-f", str(configuration), "new-session", "-d", "-x", str(columns), "-y", str(lines), "--",
                  "bash", "--norc", "--noprofile", environment=ENVIRONMENT | dict(environment))
        self.wait_until(lambda screen: screen.startswith("$"), "the prompt")

    def tmux(self, *words, environment=None):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *words], env=environment or ENVIRONMENT, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"tmux {words[0]}: {done.stderr}")
        return done.stdout

    def close(self):
        self.tmux("kill-server")

    def type(self, *keys):
        """Keys by tmux's names: "Enter", "Down", "C-z"."""
        self.tmux("send-keys", *keys)

    def write(self, text):
        self.tmux("send-keys", "-l", text)

    def run(self, *command):
        self.write(shlex.join(map(str, command)))
        self.type("Enter")

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self, colored=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if colored else []))

    def wait_until(self, holds, what, colored=False):
        end = time.monotonic() + PATIENCE
        while not holds(screen := self.screen(colored)):
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come:\n{screen}")
            time.sleep(0.05)
        return screen

    def wait_for(self, text):
        return self.wait_until(lambda screen: text in screen, repr(text))


def await_socket(path):
    end = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)


class Screens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.socket = self.folder / "run.sock"

    def terminal(self, columns=80, lines=24, environment=()):
        terminal = Terminal(self.folder, columns, lines, environment)
        self.addCleanup(terminal.close)
        return terminal

    def scenario(self, domains):
        path = self.folder / f"{domains}.lua"
        text = (FOLDER / "guests.lua").read_text()
        path.write_text(text.replace("local count = 40", f"local count = {domains}"))
        return path

    def journal(self, domains):
        path = self.folder / f"{domains}.jsonl"
        subprocess.run([PROGRAM, "--connect", f"sim:{self.scenario(domains)}", "--no-wait", "--ticks", str(TICKS),
                        "--journal", path], env=ENVIRONMENT, check=True, capture_output=True)
        return path

    def serve(self, journal):
        """A run that stands still at the journal's last tick."""
        self.socket.unlink(missing_ok=True)
        server = subprocess.Popen([SERVER, journal, self.socket], env=ENVIRONMENT)
        await_socket(self.socket)

        def end():
            server.kill()
            server.wait()
        self.addCleanup(end)
        return server

    def top(self, domains=40, columns=80, lines=24, options=(), environment=()):
        """memcoord top at the last tick."""
        self.serve(self.journal(domains))
        terminal = self.terminal(columns, lines, environment)
        terminal.run(PROGRAM, "top", "--control", self.socket, "--interval", "0.1", *options)
        terminal.wait_for(f"tick {TICKS} ")
        return terminal

    def expect_stored(self, name, terminal):
        """The terminal shows what NAME.txt has."""
        path = FOLDER / "stored" / f"{name}.txt"
        if UPDATE:
            before = None
            while (screen := terminal.screen()) != before:
                before = screen
                time.sleep(0.3)
            path.write_text(screen)
            return
        stored = path.read_text()
        end = time.monotonic() + PATIENCE / 3
        while (screen := terminal.screen()) != stored and time.monotonic() < end:
            time.sleep(0.05)
        difference = "".join(difflib.unified_diff(stored.splitlines(True), screen.splitlines(True), path.name, "screen"))
        self.assertEqual(difference, "")

    def has_short_guests_first(self, screen):
        rows = screen.partition("DOMAIN")[2].splitlines()[1:]
        return len(rows) >= len(SHORT_GUESTS) and all(
            re.match(rf"{name} .* (short|swaps)\b", row) for name, row in zip(SHORT_GUESTS, rows))


class Sizes(Screens):
    """Each size of terminal, with few and many domains."""

    def check(self, domains, columns, lines):
        terminal = self.top(domains, columns, lines)
        self.expect_stored(f"{domains}-domains-{columns}x{lines}", terminal)
        self.assertTrue(self.has_short_guests_first(terminal.screen()))


for count in (4, 40, 400):
    for size in ((80, 24), (105, 24), (160, 50)):
        setattr(Sizes, f"test_{count}_domains_{size[0]}x{size[1]}",
                lambda self, count=count, size=size: self.check(count, *size))


class Keys(Screens):
    def test_a_small_terminal_shows_domains(self):
        self.serve(self.journal(40))
        terminal = self.terminal(lines=5)
        terminal.run(PROGRAM, "top", "--control", self.socket)
        terminal.wait_for("short")
        self.expect_stored("40-domains-80x5", terminal)

    def test_a_selected_domain_is_explained_and_any_key_returns(self):
        terminal = self.top()
        terminal.type("Down", "Down", "Enter")
        terminal.wait_for("mail  running")
        self.expect_stored("explanation", terminal)
        terminal.type("x")
        terminal.wait_for("DOMAIN")

    def test_a_filter_chooses_domains_until_escape(self):
        terminal = self.top()
        terminal.type("/")
        terminal.write("web-02")
        terminal.wait_for("/web-02")
        self.expect_stored("filter", terminal)
        terminal.type("Enter")
        terminal.wait_for("(Esc: all names)")
        terminal.type("Escape")
        terminal.wait_for("\nbuild ")

    def test_help_lists_the_keys(self):
        terminal = self.top()
        terminal.type("?")
        self.expect_stored("help", terminal)

    def test_pages_show_every_domain(self):
        terminal = self.top(domains=400)
        def names(screen):
            return re.findall(r"^(web-\d+|build|mail|shop) ", screen, re.M)

        # A tick redraws the same page; a page is whole when it has all rows, and the last row is drawn last.
        rows = len(names((FOLDER / "stored" / "400-domains-80x24.txt").read_text()))
        seen, last = set(), None
        while len(seen) < 400:
            page = names(terminal.wait_until(
                lambda screen, last=last: len(names(screen)) == rows and names(screen)[-1] != last, "the next page"))
            seen.update(page)
            last = page[-1]
            terminal.type("PageDown")
        terminal.type("Home")
        terminal.wait_for("\nbuild ")

    def test_columns_sort(self):
        terminal = self.top()
        terminal.type("A")
        terminal.wait_until(lambda screen: re.search(r"DOMAIN.*\n(build|mail|shop) ", screen), "the largest domain")
        terminal.type("A")
        terminal.wait_until(lambda screen: re.search(r"DOMAIN.*\nweb-036 ", screen), "the smallest domain")

    def test_only_trouble(self):
        terminal = self.top(options=["--only", "trouble", "--sort", "name"])
        screen = terminal.wait_for("only trouble")
        self.assertNotIn("web-", screen)
        terminal.type("a")
        terminal.wait_for("web-001")

    def test_a_domain_is_paused(self):
        terminal = self.top()
        terminal.type("p")
        terminal.wait_for("select a domain")
        terminal.type("Down", "p")
        terminal.wait_for("build is paused from the next tick on")

    def test_red_marks_short_domains_and_no_color_has_none(self):
        red = "\x1b[31m"
        terminal = self.top()
        terminal.wait_until(lambda screen: red in screen, "red", colored=True)
        terminal.type("q")
        terminal.wait_until(lambda screen: "DOMAIN" not in screen, "the shell")
        terminal.run("env", "NO_COLOR=1", PROGRAM, "top", "--control", self.socket)
        terminal.wait_for("DOMAIN")
        self.assertNotIn("\x1b[3", terminal.screen(colored=True))

    def test_another_encoding_is_ascii(self):
        screen = self.top(columns=160, environment={"LC_ALL": "C"}.items()).screen()
        self.assertIn("###", screen)
        self.assertTrue(screen.isascii(), screen)


class Endings(Screens):
    """Whatever ends the program, the terminal is as it was."""

    def start(self):
        self.serve(self.journal(40))
        terminal = self.terminal()
        terminal.run("echo", "earlier output")
        terminal.wait_for("\nearlier output\n$")
        terminal.run(PROGRAM, "top", "--control", self.socket, "--interval", "0.1")
        terminal.wait_for("DOMAIN")
        return terminal

    def expect_restored(self, terminal):
        screen = terminal.wait_until(lambda now: "earlier output" in now and now.rstrip().endswith("$"), "the shell")
        self.assertNotIn("DOMAIN", screen)
        # The terminal shows typed keys again, and the cursor.
        terminal.write("echo typed")
        terminal.wait_for("$ echo typed")
        self.assertEqual(terminal.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}").strip(), "1 0")

    def kill_program(self, terminal, number):
        shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
        child = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0]
        os.kill(int(child), number)

    def test_q(self):
        terminal = self.start()
        terminal.type("q")
        self.expect_restored(terminal)

    def check_signal(self, number):
        terminal = self.start()
        self.kill_program(terminal, number)
        self.expect_restored(terminal)

    def test_sigterm(self):
        self.check_signal(signal.SIGTERM)

    def test_sighup(self):
        self.check_signal(signal.SIGHUP)

    def test_a_crash(self):
        self.check_signal(signal.SIGSEGV)

    def test_ctrl_c(self):
        terminal = self.start()
        terminal.type("C-c")
        self.expect_restored(terminal)

    def test_ctrl_z_and_fg(self):
        terminal = self.start()
        terminal.type("C-z")
        terminal.wait_until(lambda screen: "Stopped" in screen and "DOMAIN" not in screen, "the shell")
        terminal.run("fg")
        terminal.wait_for("DOMAIN")
        terminal.type("q")
        terminal.wait_until(lambda screen: "Stopped" in screen and "DOMAIN" not in screen, "the shell")

    def test_resize(self):
        terminal = self.start()
        terminal.resize(105, 30)
        terminal.wait_until(lambda now: "CHANGE" in now and self.has_short_guests_first(now), "the wider table")
        terminal.wait_until(lambda now: now.rstrip("\n").splitlines()[-1].startswith("q quit"), "the last line")

    def test_a_run_that_ends_is_waited_for(self):
        journal = self.journal(40)
        server = self.serve(journal)
        terminal = self.terminal()
        terminal.run(PROGRAM, "top", "--control", self.socket, "--interval", "0.1")
        terminal.wait_for(f"tick {TICKS} ")
        server.kill()
        server.wait()
        terminal.wait_for("no answer for 1 s: ")
        self.serve(journal)
        terminal.wait_until(lambda screen: "no answer" not in screen, "the run")


class Runs(Screens):
    """A run in the foreground."""

    def start(self, *options):
        terminal = self.terminal()
        terminal.run(PROGRAM, "--connect", f"sim:{self.scenario(40)}", *options)
        return terminal

    def test_a_run_shows_its_domains_and_its_log(self):
        terminal = self.start(*ONE_TICK)
        screen = terminal.wait_until(lambda now: re.search(r"\n\n\d\d:\d\d:\d\d  .*\nq quit", now, re.S), "the log")
        self.assertIn("tick 1 ", screen)
        self.assertTrue(self.has_short_guests_first(screen), screen)

    def test_q_ends_a_run_as_a_signal_does(self):
        terminal = self.start(*ONE_TICK)
        terminal.wait_for("tick 1 ")
        terminal.type("q")
        screen = terminal.wait_for("asked to end: 1 tick")
        self.assertNotIn("DOMAIN", screen)

    def test_a_paused_domain_is_resumed(self):
        terminal = self.start("--interval", "0.2")
        terminal.wait_for(" short")
        terminal.type("Down", "p")
        terminal.wait_for("paused by ")
        terminal.type("p")
        terminal.wait_until(lambda screen: "paused by " not in screen.split("\n\n")[0], "its end")

    def test_a_run_that_ends_by_itself_leaves_its_last_table(self):
        terminal = self.start("--no-wait", "--ticks", str(TICKS))
        terminal.wait_for("all ticks done")
        self.expect_stored("ended-run", terminal)


if __name__ == "__main__":
    unittest.main()
