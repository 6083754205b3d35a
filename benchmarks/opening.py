"""How fast a report opens: first paint, and the longest task of the page, in a headless Chromium on this machine.

python benchmarks/opening.py results/<machine>/report.html
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TIMES = 5
PAINT_MS, TASK_MS = 1000, 200
"""What the report promises at most."""
WATCH = """
window.longest = 0;
new PerformanceObserver(list => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({type: 'longtask', buffered: true});
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def open_once(browser, report: Path) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Milliseconds until the first paint, and of the longest task until everything is there."""
    page = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(report.resolve().as_uri(), wait_until="load")
    page.wait_for_timeout(1500)
    return page.evaluate(PAINTED), page.evaluate("window.longest")


def main(report: Path) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        found = [open_once(browser, report) for _ in range(TIMES)]
        browser.close()
    paints, tasks = zip(*found, strict=True)
    print(f"{report}: {report.stat().st_size / 1e6:.2f} MB")
    for name, values, limit in (("first paint", paints, PAINT_MS), ("longest task", tasks, TASK_MS)):
        median = statistics.median(values)
        print(f"{name}: median {median:.0f} ms, {min(values):.0f} to {max(values):.0f} ms (at most {limit} ms)")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
