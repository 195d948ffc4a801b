"""A headless Chromium for the tests of pages: one session, which the tests of a program share."""

import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    sys.exit("tests/browser: python3-selenium is missing; scripts/packages install test")

PATIENCE = 30  # seconds, for a busy machine
DESKTOP = (1280, 900)
PHONE = (360, 740)

# The browser reaches only this machine, and needs no large /dev/shm.
SWITCHES = [
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

# Text whose contrast with its background is under 4.5 (large text: 3), as WCAG 2 defines it. A
# half-transparent background counts with what is below it; disabled controls do not count.
FAINT_TEXT = """
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, below) => [0, 1, 2].map((i) => (top[i] * top[3] + below[i] * (255 - top[3])) / 255).concat(255);
  const behind = (element) => {
    if (!element) return rgba(getComputedStyle(document.documentElement).colorScheme === "dark" ? "#000" : "#fff");
    const color = rgba(getComputedStyle(element).backgroundColor);
    return color[3] === 255 ? color : over(color, behind(element.parentElement));
  };
  const light = (color) => {
    const [r, g, b] = color.map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, style, noscript, :disabled")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const back = behind(element.closest("svg") ? element.closest("svg").parentElement : element);
    const front = over(rgba(element instanceof SVGElement ? style.fill : style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (contrast < (large ? 3 : 4.5)) {
      const name = element.tagName.toLowerCase() + (element.className.baseVal ?? element.className ? "." + (element.className.baseVal ?? element.className) : "");
      found.set(name, `${name} ${contrast.toFixed(1)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
  }
  return [...found.values()];
"""

# Elements that reach past the right edge, except those that scroll by themselves.
WIDE_ELEMENTS = """
  const width = document.documentElement.clientWidth;
  const scrolls = (e) => e && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
    .map((e) => `${e.tagName} ${e.id} ${e.getAttribute("class") || ""}`);
"""

# Records each element that gets the focus, and whether the page shows that it has it.
RECORD_FOCUS = """
  window.focusPath = [];
  document.activeElement.blur();
  window.focusRecorder ||= addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target);
    window.focusPath.push([target, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1]);
  }) || true;
"""

# What a mouse can operate: each of these must be within reach of Tab, too. A list, a table or its headings in
# which the arrow keys move have one stop of Tab.
OPERABLE = """
  const inGroup = (e) => e.tabIndex < 0 && e.parentElement.closest("ul, tbody, thead")?.querySelector("[tabindex='0']");
  return [...document.querySelectorAll("button, select, input, a[href], summary, [role=button], [tabindex='0']")]
    .filter((e) => !e.disabled && !inGroup(e) && e.checkVisibility({ visibilityProperty: true }));
"""


def missing_programs():
    """A sentence on what the machine lacks, or None."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing:
        return f"tests/browser: {' and '.join(missing)} missing; scripts/packages install test"
    return None


# Texts under 11 pixels, as they show on the screen: a chart may be scaled.
SMALL_TEXTS = """
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, style, noscript")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const scale = element instanceof SVGElement ? element.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 10.9) found.add(`${element.tagName} ${element.getAttribute("class") || ""} ${size.toFixed(1)}: ${walker.currentNode.data.trim().slice(0, 30)}`);
  }
  return [...found];
"""


class Browser:
    """A session with an empty profile. Close it."""

    def __init__(self):
        problem = missing_programs()
        if problem:
            sys.exit(problem)
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for switch in SWITCHES + [f"--user-data-dir={self.profile.name}"]:
            options.add_argument(switch)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium has no sandbox for root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # Without a path, Selenium would look for a driver in the network.
        service = Service(shutil.which("chromedriver"), env=os.environ | {"HOME": self.profile.name})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    def reset(self):
        """An empty page on a desktop with light colours, and an empty log."""
        self.driver.get("about:blank")
        self.resize(*DESKTOP)
        self.prefer("light")
        self.log()

    def open(self, page):
        """A file, or an address."""
        self.driver.get(page.as_uri() if isinstance(page, Path) else page)

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def prefer(self, scheme):
        """ "light" or "dark": what the user's system asks pages for."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def log(self):
        """Errors and warnings since the last call: (source, message). Sources: "javascript", "security"
        (violations of the page's policy), "network" (responses that failed), "console-api" and others."""
        entries = self.driver.get_log("browser")
        return [(e["source"], e["message"]) for e in entries if e["level"] in ("SEVERE", "WARNING")]

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """The text in the document, also where it is cut on the screen."""
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def shown(self, selector):
        """The texts of the elements that are not hidden."""
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".filter((e) => e.checkVisibility()).map((e) => e.textContent)", selector)

    def wait(self, holds, what):
        """Until holds() is true; the value of holds()."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda _: holds(), f"{what} did not come")

    def press(self, *keys):
        """Keys go to the element that has the focus: text, or names of selenium's Keys."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def tab_path(self, reaches):
        """Presses Tab until reaches(path) or until the page's first element has the focus again; the path is a
        list of (element, whether its focus shows)."""
        self.run(RECORD_FOCUS)
        path = []
        while True:
            self.press(*[Keys.TAB] * 10)
            path = self.run("return window.focusPath")
            elements = [element for element, _ in path]
            if reaches(elements) or not path or path[0][0] in elements[1:]:
                return path

    def tab_to(self, element):
        """Gives `element` the focus with Tab."""
        elements = [one for one, _ in self.tab_path(lambda reached: element in reached)]
        if element not in elements:
            raise AssertionError(f"Tab does not reach {start_of(element)}")
        while self.driver.switch_to.active_element != element:
            ActionChains(self.driver, duration=0).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()

    def touch(self, kind, *points):
        """kind: "touchStart", "touchMove" or "touchEnd"; where the fingers are."""
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {
            "type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]})

    def focused_id(self):
        return self.driver.switch_to.active_element.get_attribute("id")

    def settle(self):
        """Until the page has drawn twice: layout and its observers know of a new size."""
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def start_of(element):
    return element.get_attribute("outerHTML")[:120]


class PageTest(unittest.TestCase):
    """Tests of pages. All tests of a program share one browser."""

    browser = None

    @classmethod
    def setUpClass(cls):
        if PageTest.browser is None:
            PageTest.browser = Browser()
            unittest.addModuleCleanup(PageTest.browser.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def setUp(self):
        self.browser.reset()

    def expect_clean_log(self):
        self.assertEqual(self.browser.log(), [])

    def expect_readable(self):
        """Dark and light: the page follows the system, and every text has contrast."""
        faint, background = {}, {}
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            color = self.browser.run("return getComputedStyle(document.body).backgroundColor")
            background[scheme] = sum(map(float, re.findall(r"[0-9.]+", color)[:3])) / 3
            faint[scheme] = self.browser.run(FAINT_TEXT)
        self.assertEqual(faint, {"light": [], "dark": []})
        self.assertGreater(background["light"], 200)
        self.assertLess(background["dark"], 60)

    def expect_fits_phone(self):
        self.browser.resize(*PHONE)
        self.browser.settle()
        self.assertEqual(self.browser.run(WIDE_ELEMENTS), [])
        self.assertLessEqual(self.browser.run("return document.scrollingElement.scrollWidth"), PHONE[0])
        # A chart that was drawn for a wider screen is drawn again when the browser is idle.
        self.browser.wait(lambda: not self.browser.run(SMALL_TEXTS), "text of 11 pixels or more")

    def expect_tab_reaches_everything(self):
        """Tab reaches each control once, in the order of the document, and each shows that it has the focus."""
        wanted = self.browser.run(OPERABLE)
        path = self.browser.tab_path(lambda _: False)
        first = path[0][0] if path else None
        again = next((i for i, (element, _) in enumerate(path) if i and element == first), len(path))
        reached = [element for element, _ in path[:again]]
        self.assertEqual([start_of(e) for e in wanted if e not in reached], [])
        self.assertEqual([start_of(e) for e, marked in path[:again] if not marked], [])
        ordered = self.browser.run("return arguments[0].every((e, i, all) => !i || "
                                   "all[i - 1].compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)", reached)
        self.assertTrue(ordered, "Tab goes through the page out of order")
