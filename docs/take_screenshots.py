"""The pictures of the report in docs/: desktop, phone and dark, from a report that a real run made.

python docs/take_screenshots.py results/<machine>/report.html [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
DESKTOP, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
PICTURES = {
    "report-desktop": {"viewport": DESKTOP, "color_scheme": "light"},
    "report-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "report-phone": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2, "has_touch": True},
}
SECTIONS = {"report-claims": "claims", "report-timelines": "timelines"}
"""Pictures of one section each, on a desktop."""


def take(report: Path, folder: Path) -> None:
    """Write every picture into a folder. Raises SystemExit without a Chromium."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: install it, for example with the package chromium of Debian")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, options in PICTURES.items():
            page = browser.new_context(offline=True, **options).new_page()
            page.goto(report.resolve().as_uri(), wait_until="load")
            page.screenshot(path=folder / f"{name}.png")
        page = browser.new_context(offline=True, viewport=DESKTOP, reduced_motion="reduce").new_page()
        for name, section in SECTIONS.items():
            page.goto(f"{report.resolve().as_uri()}#{section}", wait_until="load")
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    take(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else DOCS)
