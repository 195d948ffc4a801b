#!/usr/bin/python3
"""The pages that memcoord simulate, compare and report write, in a real browser.

    tests/browser/reports_test.py PROGRAM [TEST...]
"""

import subprocess
import sys
import unittest
from pathlib import Path

from browser import Keys, PageTest

FOLDER = Path(__file__).resolve().parent
PROGRAM = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else FOLDER.parent.parent / "build" / "memcoord"
HOSTILE_NAMES = [
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "'><svg onload=alert(1)>",
    "&lt;b&gt; ${document.title='owned'}",
]

# Charts without a curve, and coordinates that are no numbers.
BROKEN_CHARTS = """
  return [...document.querySelectorAll("svg.chart")].filter((svg) => svg.checkVisibility() && !svg.closest(".legend"))
    .filter((svg) => {
      const box = svg.getBoundingClientRect();
      const drawn = [...svg.querySelectorAll("path, rect.strip, rect.stripback")]
        .some((shape) => shape.getBBox().width > 0 && shape.getBBox().height >= 0);
      return !drawn || box.width < 60 || /NaN|undefined|Infinity/.test(svg.innerHTML);
    }).map((svg) => svg.getAttribute("aria-label"));
"""


class ReportTest(PageTest):
    @classmethod
    def written(cls, name, *words):
        """The page of a command."""
        path = cls.folder / f"{name}.html"
        if not path.exists():
            subprocess.run([PROGRAM, *map(str, words), "--report", path], check=True, capture_output=True)
        return path

    def open(self, path):
        self.browser.open(path)
        self.browser.wait(lambda: self.browser.all(".cards .card"), "the charts")

    def tearDown(self):
        self.expect_clean_log()

    def expect_charts(self):
        self.browser.wait(lambda: not self.browser.run(BROKEN_CHARTS), "a curve in every chart")

    def expect_nothing_loaded(self):
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').map((e) => e.name)"), [])

    def expect_harmless(self):
        """No name became an element or ran."""
        self.assertNotIn("owned", self.browser.driver.title.split("on hostile")[0])
        self.assertEqual(self.browser.all("img, [onload], [onerror]"), [])

    def use_select(self, element, *keys):
        self.browser.tab_to(element)
        self.browser.press(*keys)


class ReportOfARun(ReportTest):
    def open_run(self):
        self.open(self.written("run", "simulate", "-p", "halving", "-S", "case3"))

    def open_hostile(self):
        self.open(self.written("hostile", "simulate", "-p", "halving", "-S", FOLDER / "hostile.lua"))

    def range(self):
        return self.browser.text(".bar .range")

    def test_every_chart_has_its_curves_and_nothing_is_loaded(self):
        self.open_run()
        self.expect_charts()
        self.expect_nothing_loaded()

    def test_the_filter_hides_other_domains(self):
        self.open_run()
        names = self.browser.shown(".card h3")
        self.browser.one("input[type=search]").send_keys(names[0])
        self.assertEqual(self.browser.shown(".card h3"), [name for name in names if names[0] in name])
        self.browser.one("input[type=search]").send_keys("no such domain")
        self.assertEqual(self.browser.shown(".card h3"), [])
        self.assertEqual(self.browser.shown(".empty"), ["No domain matches."])

    def test_the_filters_hold_for_events_too(self):
        self.open_run()
        self.assertEqual(self.browser.shown(".keys")[0][:5], "Keys:")
        names = self.browser.shown(".card h3")
        self.browser.one("input[type=search]").send_keys(names[0])
        self.assertEqual(set(self.browser.texts("#events-body td.name")), {names[0]})
        self.browser.one("input[type=search]").clear()
        self.browser.one("input[type=search]").send_keys("no such domain")
        self.assertEqual(self.browser.texts("#events-body tr"), [])

    def test_the_table_of_domains_sorts_by_a_column(self):
        self.open_run()
        self.browser.one("details summary").click()
        column = [one.split(" ")[0] for one in self.browser.texts("#stories th")].index("smallest") + 1
        cells = f"#stories td:nth-child({column})"
        values = f"return [...document.querySelectorAll('{cells}')].map((cell) => Number(cell.dataset.v))"
        self.browser.one(f"#stories th:nth-child({column}) button").click()
        self.assertEqual(self.browser.run(values), sorted(self.browser.run(values)))
        self.browser.one(f"#stories th:nth-child({column}) button").click()
        self.assertEqual(self.browser.run(values), sorted(self.browser.run(values), reverse=True))

    def test_a_finger_shows_values_and_two_zoom(self):
        self.browser.resize(360, 740)
        self.open_run()
        self.browser.run("document.querySelector('#host svg.chart[tabindex]').scrollIntoView({ block: 'center' })")
        self.browser.settle()
        box = self.browser.run("const box = document.querySelector('#host svg.chart[tabindex]').getBoundingClientRect();"
                               "return [box.left, box.top, box.width, box.height]")
        at = lambda share: (box[0] + share * box[2], box[1] + box[3] / 2)
        self.browser.touch("touchStart", at(0.5))
        self.browser.touch("touchEnd")
        self.assertIn("granted", self.browser.one("#tip").text)
        whole = self.range()
        self.browser.touch("touchStart", at(0.4), at(0.6))
        self.browser.touch("touchMove", at(0.3), at(0.8))
        self.browser.touch("touchEnd")
        self.browser.wait(lambda: self.range() != whole, "another range")
        self.browser.one(".bar button[aria-label='show more time']").click()
        self.assertFalse(self.browser.one("#tip").is_displayed())

    def test_tab_reaches_every_control_in_order_and_shows_it(self):
        self.open_run()
        self.expect_tab_reaches_everything()

    def test_a_keyboard_alone_filters_sorts_zooms_and_jumps_to_events(self):
        self.open_run()
        whole = self.range()
        names = self.browser.shown(".card h3")
        events = self.browser.texts("#events-body tr")

        self.browser.tab_to(self.browser.one("input[type=search]"))
        self.browser.press(names[-1])
        self.assertEqual(self.browser.shown(".card h3"), [names[-1]])
        self.browser.press(*[Keys.BACKSPACE] * len(names[-1]))
        self.use_select(self.browser.one(".bar select"), Keys.DOWN)
        self.assertEqual(self.browser.shown(".card h3"), sorted(names))

        self.browser.tab_to(self.browser.one("#host svg[tabindex]"))
        self.browser.press(Keys.RIGHT)
        self.assertIn("granted", self.browser.one("#tip").text)
        self.browser.press("+")
        self.assertNotEqual(self.range(), whole)
        self.browser.press(Keys.ESCAPE)
        self.assertEqual(self.range(), whole)

        self.browser.wait(lambda: self.browser.texts("#events-body tr") == events, "the events of the whole range")
        self.browser.tab_to(self.browser.one("#events-body tr"))
        self.browser.press(Keys.DOWN, Keys.ENTER)
        self.assertNotEqual(self.range(), whole)
        self.browser.wait(lambda: self.browser.texts("#events-body tr") != events, "the events of the visible range")
        self.assertEqual(self.browser.text(":focus"), events[1])

    def test_the_charts_of_domains_can_be_read_with_the_keyboard(self):
        self.open_run()
        self.browser.tab_to(self.browser.one(".card svg"))
        self.browser.press(Keys.RIGHT)
        self.assertIn("maximum", self.browser.one("#tip").text)

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        self.open_run()
        self.expect_fits_phone()
        self.expect_charts()
        cut = "return [...document.querySelectorAll('.two .wide')].filter((box) => box.scrollWidth > box.clientWidth).length"
        self.assertEqual(self.browser.run(cut), 0)

    def test_dark_and_light_follow_the_system_and_every_text_has_contrast(self):
        self.open_run()
        self.browser.one("details summary").click()
        self.expect_readable()

    def test_names_that_are_markup_show_as_text(self):
        self.open_hostile()
        self.assertEqual(sorted(self.browser.shown(".card h3")), sorted(HOSTILE_NAMES))
        self.assertLessEqual(set(self.browser.texts("#events-body td.name")), {*HOSTILE_NAMES, "\u2014"})
        self.assertEqual(sorted(self.browser.texts("details td.name")), sorted(HOSTILE_NAMES))
        self.browser.tab_to(self.browser.one(".card svg"))
        for name in self.browser.texts(".card h3"):
            self.browser.press(Keys.RIGHT)
            self.assertIn(name, self.browser.one("#tip").text)
            self.browser.press(Keys.DOWN)
        self.expect_harmless()

    def test_a_page_of_many_domains_has_few_stops_of_tab(self):
        scenario = self.folder / "hundred.lua"
        scenario.write_text((FOLDER.parent / "screens" / "guests.lua").read_text()
                            .replace("local count = 40", "local count = 100").replace("duration = 60", "duration = 10"))
        self.open(self.written("hundred", "simulate", "-p", "halving", "-S", scenario))
        self.assertEqual(len(self.browser.all(".card")), 100)
        stops = self.browser.run("return [...document.querySelectorAll('*')].filter((e) => e.tabIndex >= 0 && "
                                 "!e.disabled && e.checkVisibility()).length")
        self.assertLess(stops, 30)
        self.browser.tab_to(self.browser.one(".card svg"))
        self.browser.press(Keys.DOWN)
        second = self.browser.run("return document.activeElement.closest('.card') === document.querySelectorAll('.card')[1]")
        self.assertTrue(second)

    def test_four_hundred_domains_are_drawn_while_the_page_scrolls(self):
        scenario = self.folder / "large.lua"
        scenario.write_text((FOLDER.parent / "screens" / "guests.lua").read_text()
                            .replace("local count = 40", "local count = 400").replace("duration = 60", "duration = 10"))
        self.open(self.written("large", "simulate", "-p", "halving", "-S", scenario))
        self.assertEqual(len(self.browser.all(".card")), 400)
        self.browser.run("document.querySelector('.card:last-child').scrollIntoView()")
        self.expect_charts()


class ReportOfARecording(ReportTest):
    @classmethod
    def recorded(cls):
        """The page of a journal of two runs with an hour between them."""
        path = cls.folder / "recorded.html"
        if path.exists():
            return path
        journal = cls.folder / "ticks.jsonl"
        subprocess.run([PROGRAM, "simulate", "-p", "halving", "-S", "case3", "--journal", journal], check=True, capture_output=True)
        lines = journal.read_text().splitlines()
        later = [line.replace("2024-01-01T00:", "2024-01-01T01:") for line in lines]
        journal.write_text("\n".join(lines + later) + "\n")
        subprocess.run([PROGRAM, "report", journal, "--output", path], check=True, capture_output=True)
        return path

    def open_recorded(self):
        self.open(self.recorded())

    def test_every_chart_has_its_curves_and_nothing_is_loaded(self):
        self.open_recorded()
        self.expect_charts()
        self.expect_nothing_loaded()

    def test_it_speaks_of_what_guests_report_on_the_clock(self):
        self.open_recorded()
        self.assertRegex(self.browser.text(".bar .range"), r"^\d\d:\d\d:\d\d \S \d\d:\d\d:\d\d$")
        text = self.browser.run("return document.body.innerText")
        self.assertNotRegex(text, r"(?i)stalled|\bbit\b")
        self.assertIn("short", text)

    def test_a_time_without_a_recording_is_a_gap(self):
        self.open_recorded()
        self.assertTrue(self.browser.all("#host path.away"))
        self.browser.tab_to(self.browser.one("#host svg[tabindex]"))
        self.browser.press(Keys.RIGHT)
        self.assertIn("nothing was recorded", self.browser.one("#tip").text)
        self.assertTrue([text for text in self.browser.texts("#events-body td.text") if text.startswith("nothing was recorded for")])

    def test_tab_reaches_every_control_in_order_and_shows_it(self):
        self.open_recorded()
        self.expect_tab_reaches_everything()

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        self.open_recorded()
        self.expect_fits_phone()
        self.expect_charts()

    def test_dark_and_light_follow_the_system_and_every_text_has_contrast(self):
        self.open_recorded()
        self.browser.one("details summary").click()
        self.expect_readable()


class ReportOfAComparison(ReportTest):
    def open_comparison(self):
        self.open(self.written("comparison", "compare", "-p", "halving", "shares", "-S", "case1", "burst"))

    def open_hostile(self):
        self.open(self.written("hostile-comparison", "compare", "-p", "halving", "-S", FOLDER / "hostile.lua", "case1"))

    def test_every_chart_has_its_curves_and_nothing_is_loaded(self):
        self.open_comparison()
        self.expect_charts()
        self.expect_nothing_loaded()

    def test_the_overview_shows_the_chosen_figure(self):
        self.open_comparison()
        self.assertEqual(self.browser.text("#overview th"), "stalled")
        before = self.browser.texts("#overview td")
        self.browser.all("#overview button")[1].click()
        self.assertEqual(self.browser.text("#overview th"), "deficit")
        self.assertNotEqual(self.browser.texts("#overview td"), before)

    def test_a_table_sorts_its_policies_and_keeps_the_baselines_last(self):
        self.open_comparison()
        rows = "return [...document.querySelectorAll('#scenario-1 tbody tr')].map((row) => [row.className, Number(row.cells[2].dataset.v)])"
        self.browser.one("#scenario-1 th:nth-child(3) button").click()
        self.browser.one("#scenario-1 th:nth-child(3) button").click()
        found = self.browser.run(rows)
        policies = [value for style, value in found if not style]
        self.assertEqual(policies, sorted(policies, reverse=True))
        self.assertEqual([style != "" for style, _ in found], sorted(style != "" for style, _ in found))

    def test_tab_reaches_every_control_in_order_and_shows_it(self):
        self.open_comparison()
        self.expect_tab_reaches_everything()

    def test_a_keyboard_alone_chooses_figures_and_domains_and_zooms(self):
        self.open_comparison()
        self.browser.tab_to(self.browser.all("#overview button")[3])
        self.browser.press(Keys.SPACE)
        self.assertEqual(self.browser.text("#overview th"), self.browser.all("#overview button")[3].text)
        self.use_select(self.browser.one("#curves-0 select"), Keys.DOWN)
        chosen = self.browser.run("return document.querySelector('#curves-0 select').value")
        self.assertNotEqual(chosen, "the host")
        self.expect_charts()
        self.browser.tab_to(self.browser.one("#curves-0 svg[tabindex]"))
        self.browser.press(Keys.RIGHT)
        self.assertIn(chosen, self.browser.one("#tip").text)
        whole = self.browser.text("#curves-0 .range")
        self.browser.press("+")
        self.assertNotEqual(self.browser.text("#curves-0 .range"), whole)

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        self.open_comparison()
        self.expect_fits_phone()
        self.expect_charts()

    def test_dark_and_light_follow_the_system_and_every_text_has_contrast(self):
        self.open_comparison()
        self.expect_readable()

    def test_names_that_are_markup_show_as_text(self):
        self.open_hostile()
        self.assertEqual(sorted(self.browser.texts("#curves-0 option")), sorted(["the host", *HOSTILE_NAMES]))
        self.use_select(self.browser.one("#curves-0 select"), Keys.DOWN)
        self.assertIn("onerror", self.browser.text(".scenario h2"))
        self.expect_harmless()
        self.expect_charts()


class TheTestsThemselves(PageTest):
    def page(self, text):
        path = self.folder / "page.html"
        path.write_text(text)
        self.browser.open(path)

    def test_a_script_error_and_a_violated_policy_are_seen(self):
        self.page("<script>undefinedFunction()</script>")
        self.browser.wait(lambda: any("undefinedFunction" in text for _, text in self.browser.log()), "the error")
        self.page("<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\"><script>1</script>")
        self.browser.wait(lambda: any(source == "security" for source, _ in self.browser.log()), "the violation")

    def test_faint_text_and_wide_elements_are_seen(self):
        self.page("<style>body { background: white }</style><p style='color: #999'>pale</p>")
        with self.assertRaisesRegex(AssertionError, "pale"):
            self.expect_readable()
        self.page("<meta name=viewport content='width=device-width'><p style='width: 500px'>wide</p>")
        with self.assertRaisesRegex(AssertionError, "360|P "):
            self.expect_fits_phone()

    def test_a_control_without_a_visible_focus_is_seen(self):
        self.page("<style>button { outline: none }</style><button>one</button>")
        with self.assertRaises(AssertionError):
            self.expect_tab_reaches_everything()
        self.page("<button tabindex=-1>one</button><button>two</button>")
        with self.assertRaisesRegex(AssertionError, "one"):
            self.expect_tab_reaches_everything()


if __name__ == "__main__":
    unittest.main(verbosity=2)
