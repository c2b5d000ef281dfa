"""Train the grid of grid.yml: `snakemake --profile profiles/local` here, `profiles/slurm` on a cluster, `-n` to look.

The targets are records of finished runs. Everything is decided in fmfp_lib/grid.py; see book/grid.md.
"""

import sys

from fmfp_lib import grid, records

instead = {key: value for key, value in config.items() if key not in ("grid", "threads", "tflops")}
try:
    GRID = grid.Grids.read(config.get("grid", workflow.basedir + "/grid.yml"), **instead)
except ValueError as error:
    sys.exit(f"fmfp: {error}")
UNFINISHED = GRID.unfinished()
RECORDS = records.folder()


localrules: all


rule all:
    input: expand(f"{RECORDS}/{{hash}}.json", hash=UNFINISHED)


# One rule for each data set, network and amount of training, since the jobs of an array ask for the same time and memory. A job reads this file
# again when it starts, perhaps after others have finished: the names of the rules must not depend on that.
for number, hashes in enumerate(GRID.cells()):
    names = [name for name in hashes if name in UNFINISHED]
    if not names:
        continue

    rule:
        name: f"train_{number}_{UNFINISHED[names[0]].complete().network}"
        input: lambda w: expand(f"{RECORDS}/{{hash}}.json", hash=grid.waits_for(UNFINISHED[w.hash], UNFINISHED))
        output: f"{RECORDS}/{{hash}}.json", f"{RECORDS}/{{hash}}.npz"
        log: f"{RECORDS}/logs/{{hash}}.log"
        wildcard_constraints: hash="|".join(names)
        threads: int(config.get("threads", 1))
        params: command=lambda w, threads: grid.command(UNFINISHED[w.hash], threads)
        resources:
            **(grid.request([UNFINISHED[n] for n in names], 1e12 * float(config["tflops"])) if "tflops" in config else {})
        shell: "{params.command} > {log:q} 2>&1"
