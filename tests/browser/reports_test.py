#!/usr/bin/python3
"""The pages that memcoord simulate and memcoord compare write, in a real browser.

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

    def test_tab_reaches_every_control_in_order_and_shows_it(self):
        self.open_run()
        self.expect_tab_reaches_everything()

    def test_a_keyboard_alone_filters_sorts_zooms_and_jumps_to_events(self):
        self.open_run()
        whole = self.range()
        names = self.browser.shown(".card h3")

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

        events = self.browser.texts("#events-body tr")
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
        for card in self.browser.all(".card"):
            name = card.find_element("css selector", "h3").get_attribute("textContent")
            self.browser.tab_to(card.find_element("css selector", "svg"))
            self.browser.press(Keys.RIGHT)
            self.assertIn(name, self.browser.one("#tip").text)
        self.expect_harmless()

    def test_four_hundred_domains_are_drawn_while_the_page_scrolls(self):
        scenario = self.folder / "large.lua"
        scenario.write_text((FOLDER.parent / "screens" / "guests.lua").read_text()
                            .replace("local count = 40", "local count = 400").replace("duration = 60", "duration = 10"))
        self.open(self.written("large", "simulate", "-p", "halving", "-S", scenario))
        self.assertEqual(len(self.browser.all(".card")), 400)
        self.browser.run("document.querySelector('.card:last-child').scrollIntoView()")
        self.expect_charts()


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
