#!/usr/bin/env python3
"""Completion in bash, zsh and fish, each on a terminal of its own.

    tests/whole/completion_test.py PROGRAM

A test types a line, presses the tab key and then return. The shell calls a memcoord that records its arguments, so
a test sees what the shell makes of the completed line: the words, without their quotes.
"""

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/memcoord").resolve()
SECONDS = 60  # for a step that a busy machine makes wait

# Each begins with a letter of its own.
HOSTILE = ["$(touch evil)", "`touch evil`", "a b; touch evil", "it's \"quoted\"", "c:d=e", "back\\slash", "*", "~f",
           "#g", "!h", "übung", "x&y|z", "{1,2}", "<in"]
ALIKE = ["vm (1)", "vm (2)"]
HIDDEN = ["new\nline", "escape\x1b[2J", "-dash"]


def lua(text):
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


class Shell:
    """A shell on a terminal, in a folder of its own."""

    def __init__(self, command, folder, environment):
        self.screen = b""
        self.folder = folder
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def read(self):
        if select.select([self.terminal], [], [], 0.05)[0]:
            try:
                self.screen += os.read(self.terminal, 65536)
            except OSError:  # the shell has ended
                pass

    def wait_until(self, holds):
        end = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > end:
                raise AssertionError("waited in vain; the screen: " + self.screen.decode(errors="replace"))
            self.read()

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class Completion:
    """The tests of every shell."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        for name in ("bin", "work", "runtime", "work/folder"):
            (cls.folder / name).mkdir()
        cls.recorded = cls.folder / "recorded"
        cls.write("bin/memcoord", f"""#!/bin/sh
            case $1 in __complete | completion) exec {shlex.quote(str(PROGRAM))} "$@" ;; esac
            printf '%s\\0' "$@" >{cls.recorded}.part
            mv {cls.recorded}.part {cls.recorded}
            """)
        (cls.folder / "bin/memcoord").chmod(0o755)
        for name in ("mine.lua", "z:`touch evil`.toml", "other.txt", "ticks.jsonl", "a b's $(touch evil).jsonl", "set.toml"):
            cls.write("work/" + name, "return {}")
        cls.environment = {"PATH": f"{cls.folder}/bin:/usr/bin:/bin", "HOME": str(cls.folder), "TERM": "xterm",
                           "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(cls.folder / "runtime"), "COLUMNS": "200"}
        cls.shell = cls.start()
        cls.addClassCleanup(cls.shell.close)
        cls.shell.wait_until(lambda: b"READY" in cls.shell.screen)

    @classmethod
    def write(cls, name, text):
        (cls.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (cls.folder / name).write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")

    @classmethod
    def serve(cls, names):
        """A run whose domains have these names, on the user's control socket."""
        domains = "".join(f"{{ name = {lua(name)}, maximum = 1*GiB, demand = {{ {{ 0, 100*MiB }} }} }}," for name in names)
        cls.write("host.lua", f'return {{ summary = "", host = {{ total = 64*GiB }}, duration = 9, domains = {{ {domains} }} }}')
        socket = cls.folder / "runtime/memcoord.sock"
        run = subprocess.Popen([PROGRAM, "-c", f"sim:{cls.folder}/host.lua", "--control", socket, "1h", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        run.stdout.readline()
        return run

    def arguments(self, keys):
        """The arguments of the command that the keys and return call."""
        self.recorded.unlink(missing_ok=True)
        self.shell.screen = b""
        self.shell.send(keys + "\r")
        self.shell.wait_until(self.recorded.exists)
        self.shell.wait_until(lambda: b"READY" in self.shell.screen)
        return self.recorded.read_text().split("\0")[:-1]

    def expect(self, keys, *arguments):
        self.assertEqual(self.arguments("memcoord " + keys), list(arguments))

    def test_commands_and_options(self):
        self.expect("expl\t", "explain")
        self.expect("domain sh\t", "domain", "show")
        self.expect("simulate --scen\t", "simulate", "--scenario")
        self.expect("dry-run of\t", "dry-run", "off")

    def test_values_after_a_blank_an_equals_sign_and_a_colon(self):
        self.expect("--policy halv\t", "--policy", "halving")
        self.expect("--policy=halv\t", "--policy=halving")
        self.expect("--units M\t", "--units", "MiB")
        self.expect("--headroom=us\t--json", "--headroom=usable", "--json")
        self.expect("simulate --scenario bu\t", "simulate", "--scenario", "burst")
        self.expect("-c sim:bur\t", "-c", "sim:burst")
        self.expect("--connect=sim:bur\t", "--connect=sim:burst")
        self.expect("-c qemu:///sy\t", "-c", "qemu:///system")

    def test_parameters_of_the_policy_on_the_line(self):
        self.expect("-p band --set lo\t1GiB", "-p", "band", "--set", "low=1GiB")
        self.expect("policy band --set low=\t", "policy", "band", "--set", "low=100MiB")
        self.expect("compare -p adaptive band:lo\t7", "compare", "-p", "adaptive", "band:low=7")

    def test_files_by_their_kind(self):
        self.expect("--journal t\t", "--journal", "ticks.jsonl")
        self.expect("replay a\t", "replay", "a b's $(touch evil).jsonl")
        self.expect("--config=s\t", "--config=set.toml")
        self.expect("--config z:\t", "--config", "z:`touch evil`.toml")
        self.expect("check mi\t", "check", "mine.lua")
        self.expect("-c sim:mi\t", "-c", "sim:mine.lua")
        self.expect("--journal fo\tin", "--journal", "folder/in")
        self.expect("--journal oth\t", "--journal", "other.txt")
        self.expect("--config ~/work/se\t", "--config", str(self.folder / "work/set.toml"))
        self.assertFalse((self.folder / "work/evil").exists())

    def test_a_redirection_completes_files(self):
        self.expect("policies >oth\t --json", "policies", "--json")

    def test_words_in_quotes(self):
        self.expect("--policy \"hal\t", "--policy", "halving")
        self.expect("--policy 'hal\t", "--policy", "halving")
        self.expect("replay 't\t", "replay", "ticks.jsonl")

    def test_nothing_of_a_line_is_evaluated(self):
        self.shell.send("memcoord --policy $(touch evil) `touch evil` \"$(touch evil)\" ha\t\x15")
        self.expect("explain", "explain")
        self.assertFalse((self.folder / "work/evil").exists())

    def test_domains_with_hostile_names(self):
        run = self.serve(HOSTILE + ALIKE + HIDDEN)
        try:
            for name in HOSTILE:
                begun = self.quoted(name[0])
                with self.subTest(name=name):
                    self.expect(f"explain {begun}\t", "explain", name)
                    self.expect(f"domain set {begun}\t", "domain", "set", name)
            self.expect("explain v\t2\t", "explain", "vm (2)")
            for name in HIDDEN[:2]:
                self.expect(f"explain {name[:3]}\t", "explain", name[:3])
            self.expect("explain -- -d\t", "explain", "--", "-dash")
        finally:
            run.kill()
            run.communicate()
        self.assertFalse((self.folder / "work/evil").exists())

    def test_without_a_run_there_are_no_domains_and_no_messages(self):
        self.expect("explain w\t", "explain", "w")
        self.assertNotIn(b"socket", self.shell.screen)

    @staticmethod
    def quoted(character):
        return "\\" + character if character.isascii() and not character.isalnum() else character


class Bash(Completion, unittest.TestCase):
    @classmethod
    def start(cls):
        cls.write("rc", "PS1='READY$ '\nsource <(memcoord completion bash)")
        return Shell(["bash", "--noprofile", "--rcfile", str(cls.folder / "rc"), "-i"], cls.folder / "work", cls.environment)


class Zsh(Completion, unittest.TestCase):
    @classmethod
    def start(cls):
        cls.write(".zshrc", "PS1='READY%% '\nautoload -U compinit; compinit -u -D\nsource <(memcoord completion zsh)")
        return Shell(["zsh", "-d", "-i"], cls.folder / "work", cls.environment)


class ZshInstalled(Zsh):
    @classmethod
    def start(cls):
        cls.write("functions/_memcoord", subprocess.check_output([PROGRAM, "completion", "zsh"], text=True))
        cls.write(".zshrc", f"PS1='READY%% '\nfpath=({cls.folder}/functions $fpath)\nautoload -U compinit; compinit -u -D")
        return Shell(["zsh", "-d", "-i"], cls.folder / "work", cls.environment)

    def test_options_and_commands_are_described(self):
        self.shell.send("memcoord \t")
        self.shell.wait_until(lambda: b"Show the state of a run" in self.shell.screen)
        self.shell.send("\x15memcoord -p band --set \t")
        self.shell.wait_until(lambda: b"default 100MiB" in self.shell.screen)
        self.shell.send("\x15")


class Fish(Completion, unittest.TestCase):
    @classmethod
    def start(cls):
        cls.write(".config/fish/config.fish", """
            set -g fish_greeting
            function fish_prompt; echo "READY> "; end
            memcoord completion fish | source
            """)
        return Shell(["fish", "-i"], cls.folder / "work", cls.environment)

    def candidates(self, line):
        listed = subprocess.run(["fish", "-c", "complete -C $argv[1]", line], env=self.environment, text=True, check=True,
                                cwd=self.folder / "work", stdout=subprocess.PIPE)
        return dict(one.partition("\t")[::2] for one in listed.stdout.splitlines())

    def test_options_and_commands_are_described(self):
        self.assertIn("Show the state of a run", self.candidates("memcoord ")["status"])
        self.assertEqual(self.candidates("memcoord -p band --set lo"), {"low=": "default 100MiB: a domain with less headroom grows"})


if __name__ == "__main__":
    unittest.main(verbosity=1)
