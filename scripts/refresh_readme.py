"""Make the README's picture, table and what it says again from the records: ``python scripts/refresh_readme.py``."""

import re
from pathlib import Path

from fmfp_lib.book import figures, study, tables

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "book" / "images" / "calibration_against_ranking.png"

if __name__ == "__main__":
    groups = {group.title: group.records for group in study.shown(("baseline", *tables.GLANCE))}
    figure = figures.calibration_against_ranking(groups, tables.GLANCE)
    figure.savefig(PICTURE, dpi=130, facecolor="white", bbox_inches="tight")
    readme = ROOT / "README.md"
    between = re.compile(r"(<!-- results -->\n).*?(\n<!-- end of results -->)", re.S)
    readme.write_text(between.sub(lambda m: m[1] + tables.at_a_glance() + m[2], readme.read_text()))
    print(f"{PICTURE}\n{readme}")
