"""Make the README's picture, table and what it says again from the records: ``python scripts/refresh_readme.py``."""

import re
from pathlib import Path

from fmfp_lib.book import figures, ladder, rungs, tables

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "book" / "images" / "effects_against_accuracy.png"

if __name__ == "__main__":
    figure = figures.effects_against_accuracy(ladder.drawn(), ladder.published_effects(), rungs.HOME)
    figure.savefig(PICTURE, dpi=130, facecolor="white", bbox_inches="tight")
    readme = ROOT / "README.md"
    between = re.compile(r"(<!-- results -->\n).*?(\n<!-- end of results -->)", re.S)
    readme.write_text(between.sub(lambda m: m[1] + tables.at_a_glance() + m[2], readme.read_text()))
    print(f"{PICTURE}\n{readme}")
