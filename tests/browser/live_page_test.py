#!/usr/bin/python3
"""The live page of a run on a simulated host, in a real browser.

    tests/browser/live_page_test.py PROGRAM [TEST...]
"""

import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from browser import PATIENCE, By, Keys, PageTest

FOLDER = Path(__file__).resolve().parent
PROGRAM = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else FOLDER.parent.parent / "build" / "memcoord"
HOSTILE_NAMES = ["<img src=x onerror=\"document.title='owned'\">", "</script><script>document.title='owned'</script>"]
GIB = 2**30
TOKEN = "correct-horse-battery-staple"

# The rows in their order, also those outside the window.
ROWS = "[...document.querySelectorAll('#domains [data-uuid]')]"
NAMES = f"return {ROWS}.filter((row) => row.checkVisibility()).map((row) => row.querySelector('.name').textContent)"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Run:
    """memcoord on a simulated host, which ticks five times a second. `stop` and `start` keep the address."""

    def __init__(self, folder, domains=12, options=(), policy="halving"):
        scenario = folder / f"live-{domains}.lua"
        scenario.write_text((FOLDER / "live.lua").read_text().replace("local count = 12", f"local count = {domains}"))
        self.port = free_port()
        self.folder = folder
        self.command = [PROGRAM, "--connect", f"sim:{scenario}", "--policy", policy, "--metrics",
                        f"127.0.0.1:{self.port}", *map(str, options), "0.2"]
        self.process = None
        self.start()

    def address(self, credentials=""):
        return f"http://{credentials}127.0.0.1:{self.port}/"

    def start(self):
        self.log = tempfile.TemporaryFile(dir=self.folder)
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self.log,
                                        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"})
        end = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                raise AssertionError(f"memcoord does not serve {self.address()}: {self.log.read().decode()}")
            time.sleep(0.02)

    def answers(self):
        try:
            urllib.request.urlopen(self.address() + "v1/live", timeout=PATIENCE).close()
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.log.close()


class Forward(socketserver.ThreadingTCPServer):
    """Passes connections on to a Unix socket, as ssh -L does."""

    daemon_threads = True

    def __init__(self, path):
        super().__init__(("127.0.0.1", 0), None)
        self.path = str(path)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def address(self):
        return f"http://localhost:{self.server_address[1]}/"

    def finish_request(self, request, client_address):
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.path)
            threading.Thread(target=self.copy, args=(request, server), daemon=True).start()
            self.copy(server, request)

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end has closed


class LiveTest(PageTest):
    def start(self, **options):
        run = Run(self.folder, **options)
        self.addCleanup(lambda: run.process.poll() is None and run.stop())
        return run

    def open(self, run, credentials="", fragment=""):
        self.open_address(run.address(credentials) + fragment)

    def open_address(self, address):
        self.browser.open(address)
        self.browser.wait(lambda: self.tick() > 0, "the first tick")

    def tick(self):
        """The number of the tick that the page shows; 0 before the first."""
        text = self.browser.text("#run-tick b") if self.browser.all("#run-tick b") else ""
        return int(text) if text.isdigit() else 0

    def await_ticks(self, count=1):
        """Until the page has shown `count` further ticks."""
        for _ in range(count):
            before = self.tick()
            self.browser.wait(lambda: self.tick() > before, "the next tick")

    def names(self):
        return self.browser.run(NAMES)

    def row(self, name):
        return next(row for row in self.browser.all("#domains [data-uuid]")
                    if row.find_element(By.CSS_SELECTOR, ".name").get_attribute("textContent") == name)

    def expect_harmless(self):
        self.assertNotIn("owned", self.browser.driver.title)
        self.assertEqual(self.browser.all("img, main script, header script, [onerror], [onload]"), [])


class LivePage(LiveTest):
    """Tests that share a run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = Run(cls.folder)
        cls.addClassCleanup(cls.shared.stop)

    def setUp(self):
        super().setUp()
        self.open(self.shared)

    def tearDown(self):
        self.expect_clean_log()

    def open_domain(self, name):
        self.row(name).find_element(By.CSS_SELECTOR, ".name").click()
        self.await_detail(name)

    def await_detail(self, name):
        self.browser.wait(lambda: self.browser.one("#detail").is_displayed(), "the domain's own view")
        self.browser.wait(lambda: name in self.browser.text("#detail"), "the domain's name")

    def ask_fit(self, size):
        self.browser.one("#fit-size").clear()
        self.browser.one("#fit-size").send_keys(size, Keys.ENTER)
        self.browser.wait(lambda: self.browser.one("#fit-answer").text, "the answer")
        return self.browser.one("#fit-answer").text

    def ask_policy(self, name):
        self.browser.run("document.getElementById('whatif-policy').value = arguments[0]", name)
        self.browser.one("#whatif button").click()
        self.browser.wait(lambda: self.browser.one("#whatif-answer").text, "the answer")

    def test_it_shows_the_host_and_every_domain_and_loads_only_from_memcoord(self):
        self.assertRegex(self.browser.text("#state"), "fine|tight|short")
        shown = self.browser.run("return [...document.querySelectorAll('#host-bar rect')]"
                                 ".filter((part) => part.getBoundingClientRect().width > 1).length")
        self.assertGreaterEqual(shown, 3)
        self.assertEqual(len(self.names()), 12)
        loaded = self.browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        self.assertTrue(loaded)
        self.assertEqual([name for name in loaded if not name.startswith(self.shared.address())], [])

    def test_it_follows_the_ticks_in_place(self):
        self.browser.run(f"for (const row of {ROWS}) row.seenBefore = true; window.seenBefore = true")
        before = self.browser.texts("#domains [data-uuid]")
        self.await_ticks(2)
        self.browser.wait(lambda: self.browser.texts("#domains [data-uuid]") != before, "new figures")
        self.assertTrue(self.browser.run(f"return window.seenBefore && {ROWS}.every((row) => row.seenBefore)"))

    def test_the_filter_hides_other_domains(self):
        self.browser.one("#filter").send_keys("WEB-00")
        self.assertEqual(sorted(self.names()), [f"web-00{i}" for i in range(1, 8)])
        self.await_ticks()
        self.assertEqual(len(self.names()), 7)
        self.browser.one("#filter").send_keys("9")
        self.assertEqual(self.names(), [])

    def test_domains_can_be_sorted_by_name(self):
        self.browser.run("const sort = document.getElementById('sort'); sort.value = 'name';"
                         "sort.dispatchEvent(new Event('change'))")
        names = [name for name in self.names() if name not in HOSTILE_NAMES]
        self.assertEqual(names, sorted(names))
        self.assertEqual(names[0], "hung")

    def test_domains_in_trouble_come_first_and_say_why(self):
        self.browser.wait(lambda: self.names()[:3] == ["hung", "silent", "paused"], "the domains in trouble")
        for name, word in [("hung", "hung"), ("paused", "paused"), ("silent", "silent")]:
            row = self.row(name)
            tag = row.find_element(By.CSS_SELECTOR, ".tag")
            self.assertEqual(tag.text, word)
            # A pause is an operator's choice.
            self.assertEqual("bad" in tag.get_attribute("class"), name != "paused")
            self.assertIn("skipped", row.text)

    def test_a_domain_has_its_hour_its_moves_and_its_explanation(self):
        self.open_domain("web-001")
        self.browser.wait(lambda: self.browser.all("#detail svg.chart path"), "the domain's hour")
        self.browser.wait(lambda: "web-001" in self.browser.text("#explanation"), "the explanation")
        self.browser.wait(lambda: self.browser.all("#moves tr"), "the moves")
        self.browser.driver.back()
        self.browser.wait(lambda: self.browser.one("#domains").is_displayed(), "the list of domains")
        self.assertFalse(self.browser.one("#detail").is_displayed())

    def test_a_link_leads_to_a_domain(self):
        uuid = self.row("web-002").get_attribute("data-uuid")
        self.open(self.shared, fragment=f"#domain={uuid}")
        self.browser.driver.refresh()
        self.await_detail("web-002")

    def test_it_tells_whether_a_guest_fits(self):
        self.assertRegex(self.ask_fit("1 MiB"), "(?i)fit|now")
        self.assertNotEqual(self.ask_fit("1 TiB"), self.ask_fit("1 MiB"))
        self.assertEqual(self.ask_fit("4"), "\u2717 '4' has no unit; did you mean 4MiB or 4GiB?")
        refused = len(self.browser.log())
        self.await_ticks(2)
        self.assertEqual((refused, len(self.browser.log())), (1, 0))

    def test_a_question_is_asked_once_at_a_time(self):
        self.browser.one("#fit-size").clear()
        self.browser.one("#fit-size").send_keys("4")
        self.browser.run("for (let i = 0; i < 3; ++i) document.getElementById('fit').requestSubmit()")
        self.browser.wait(lambda: self.browser.one("#fit-answer").text, "the answer")
        self.await_ticks(2)
        self.assertEqual(len(self.browser.log()), 1)

    def host_figures(self, host):
        return self.browser.run("const view = new HostView(); view.update({ state: 'short', host: arguments[0] });"
                                "return [...view.figures.values()].filter(({ item }) => !item.hidden)"
                                ".map(({ item }) => item.textContent.replaceAll('\\u00a0', ' '))",
                                {"memory": 8 * GIB} | host)

    def test_one_figure_says_the_shortfall_and_noise_is_none(self):
        self.assertEqual(self.host_figures({"uncovered": 2 * GIB, "shortfall": 2 * GIB}),
                         ["shortfall: committed beyond the host 2 GiB", "memory 8 GiB"])
        self.assertEqual(self.host_figures({"uncovered": 2 * GIB, "shortfall": 3 * GIB}),
                         ["committed beyond the host 2 GiB", "shortfall 3 GiB", "memory 8 GiB"])
        self.assertEqual(self.host_figures({"uncovered": 0, "shortfall": 7 * 2**10}), ["memory 8 GiB"])

    def test_the_curves_in_the_list_have_a_legend(self):
        legend = self.browser.text("#domains-legend")
        self.assertIn("actual, last hour", legend)
        self.assertIn("used, last hour", legend)

    def test_the_policy_that_decides_cannot_be_asked_what_it_would_decide(self):
        options = "return [...document.querySelectorAll('#whatif-policy option')].filter((one) => one.disabled)"
        self.assertEqual(self.browser.run(options + ".map((one) => one.textContent)"), ["halving (decides now)"])

    def test_it_tells_what_another_policy_would_decide(self):
        self.ask_policy("buffer")
        self.assertIn("buffer", self.browser.one("#whatif-answer").text)

    def test_tab_reaches_every_control_in_order_and_shows_it(self):
        self.expect_tab_reaches_everything()

    def test_a_keyboard_alone_filters_opens_a_domain_and_returns(self):
        self.browser.run("document.activeElement.blur()")
        self.browser.press("/")
        self.assertEqual(self.browser.focused_id(), "filter")
        self.browser.press("web-00", Keys.DOWN, Keys.DOWN)
        name = self.browser.text(":focus")
        self.assertEqual(name, self.names()[1])
        self.browser.press(Keys.ENTER)
        self.await_detail(name)
        self.browser.press(Keys.ESCAPE)
        self.browser.wait(lambda: self.browser.one("#domains").is_displayed(), "the list of domains")
        self.assertEqual(self.browser.text(":focus"), name)

    def test_a_keyboard_alone_asks_both_questions(self):
        self.browser.tab_to(self.browser.one("#fit-size"))
        self.browser.press(Keys.ENTER)
        self.browser.wait(lambda: self.browser.one("#fit-answer").text, "whether a guest fits")
        self.browser.tab_to(self.browser.one("#whatif-policy"))
        self.browser.press(Keys.DOWN, Keys.TAB, Keys.ENTER)
        self.browser.wait(lambda: self.browser.one("#whatif-answer").text, "what the other policy decides")

    def test_the_focus_stays_in_its_row_while_ticks_come(self):
        self.browser.press("/", Keys.DOWN, Keys.DOWN)
        name = self.browser.text(":focus")
        self.await_ticks(2)
        self.assertEqual(self.browser.text(":focus"), name)

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        self.expect_fits_phone()
        self.ask_policy("buffer")
        self.expect_fits_phone()
        self.open_domain("web-001")
        self.browser.wait(lambda: self.browser.text("#explanation"), "the explanation")
        self.expect_fits_phone()

    def test_dark_and_light_follow_the_system_and_every_text_has_contrast(self):
        self.ask_policy("buffer")
        self.expect_readable()
        self.open_domain("web-001")
        self.browser.wait(lambda: self.browser.text("#explanation"), "the explanation")
        self.expect_readable()

    def test_names_that_are_markup_show_as_text(self):
        self.assertLessEqual(set(HOSTILE_NAMES), set(self.names()))
        self.ask_policy("buffer")
        self.expect_harmless()
        for name in HOSTILE_NAMES:
            self.open_domain(name)
            self.browser.wait(lambda: name in self.browser.text("#explanation"), "the explanation")
            self.expect_harmless()
            self.browser.press(Keys.ESCAPE)
            self.browser.wait(lambda: self.browser.one("#domains").is_displayed(), "the list of domains")


class RunsOfTheirOwn(LiveTest):
    def test_it_says_that_memcoord_is_gone_and_goes_on_with_the_next_one(self):
        run = self.start()
        self.open(run)
        self.await_ticks()
        self.expect_clean_log()
        run.stop()
        self.browser.wait(lambda: self.browser.one("#connection-lost").is_displayed(), "the notice")
        self.assertEqual(len(self.names()), 12)
        self.expect_readable()
        self.expect_fits_phone()
        run.start()
        self.browser.wait(lambda: not self.browser.one("#connection-lost").is_displayed(), "the end of the notice")
        self.await_ticks()
        self.assertEqual({source for source, _ in self.browser.log()}, {"network"})

    def test_a_dry_run_lists_decisions_and_no_moves(self):
        run = self.start(options=["--dry-run"])
        self.open(run)
        uuid = self.row("web-001").get_attribute("data-uuid")
        self.open(run, fragment=f"#domain={uuid}")
        self.browser.driver.refresh()
        self.browser.wait(lambda: self.browser.all("#moves td"), "the decisions")
        self.assertEqual(self.browser.text("#moves-title"), "Last decisions (dry run)")
        reasons = self.browser.texts("#moves td.text")
        self.assertEqual([reason for reason in reasons if "dry run" in reason or "->" in reason], [])
        self.expect_clean_log()

    def test_a_fallback_policy_is_the_one_that_decides(self):
        path = self.folder / "failing.lua"
        path.write_text("return { api = 1, summary = 'fails', tick = function() error('boom') end }\n")
        self.open(self.start(policy=path, options=["--fallback-policy", "halving"]))
        options = "return [...document.querySelectorAll('#whatif-policy option')].filter((one) => one.disabled)"
        self.browser.wait(lambda: self.browser.run(options + ".map((one) => one.textContent)") ==
                          ["halving (decides now)"], "the fallback policy as the one that decides")
        self.expect_clean_log()

    def test_the_token_is_the_password_of_the_page(self):
        path = self.folder / "token"
        path.write_text(TOKEN + "\n")
        path.chmod(0o640)
        run = self.start(options=["--metrics-token", path])
        self.browser.open(run.address("memcoord:wrong@"))
        self.assertEqual(self.browser.all("#domains"), [])
        self.assertEqual({source for source, _ in self.browser.log()}, {"network"})
        self.open(run, credentials=f"memcoord:{TOKEN}@")
        self.await_ticks()
        self.assertEqual(len(self.names()), 12)
        self.expect_clean_log()

    def test_the_control_socket_serves_the_page_through_a_forwarded_port(self):
        path = self.folder / "control.sock"
        self.start(options=["--control", path])
        forward = Forward(path)
        self.addCleanup(forward.server_close)
        self.addCleanup(forward.shutdown)
        self.open_address(forward.address())
        self.await_ticks()
        self.assertEqual(len(self.names()), 12)
        self.expect_clean_log()


class FourHundredDomains(LiveTest):
    def test_they_are_updated_in_place_and_drawn_where_the_page_scrolls(self):
        self.open(self.start(domains=400))
        self.assertEqual(len(self.names()), 400)
        self.browser.run("const sort = document.getElementById('sort'); sort.value = 'name';"
                         "sort.dispatchEvent(new Event('change'));"
                         f"for (const row of {ROWS}) row.seenBefore = true;"
                         "window.moved = 0; new MutationObserver((changes) => { window.moved += changes.length })"
                         ".observe(document.getElementById('domains'), { childList: true })")
        before = self.browser.texts("#domains [data-uuid]")
        self.await_ticks(3)
        self.assertNotEqual(self.browser.texts("#domains [data-uuid]"), before)
        self.assertTrue(self.browser.run(f"return {ROWS}.every((row) => row.seenBefore)"))
        self.assertEqual(self.browser.run("return window.moved"), 0)
        last = self.browser.all("#domains [data-uuid]")[-1]
        self.browser.run("arguments[0].scrollIntoView()", last)
        self.browser.wait(lambda: last.find_elements(By.CSS_SELECTOR, "svg path"), "the last domain's curve")
        self.await_ticks()
        self.assertGreater(self.browser.run("return scrollY"), 0)
        self.expect_clean_log()


if __name__ == "__main__":
    unittest.main(verbosity=2)
