"""Which confidence score helps which training method: all of ``scores.SCORES`` against MSP, on finished runs."""

import numpy as np

from .. import confidence, measures, scores, statistics
from .compare import against_msp
from .markdown import difference, signed, table
from .names import listed, name

OTHERS = [key for key, score in scores.SCORES.items() if score.takes == "logits" and key != "msp"]
MEASURED = ("trust_score", "nearest_neighbours", "mahalanobis", "mc_information", "mc_dropout", "swag")


def score_table() -> str:
    """Return ``scores.SCORES`` as Markdown, one line for each."""
    rows = []
    for key, score in scores.SCORES.items():
        source = f" {{cite}}`{score.source}`" if score.source else ""
        code = f"`{score.function.__name__}`" + (f", fitted by `{score.fit.__name__}`" if score.fit else "")
        rows.append((name(key) + source, score.formula, score.takes, code))
    return table(("score", "formula", "made of", "code"), rows, words=4)


def by_method(groups, metrics=("auroc", "aurc"), replicates: int = statistics.REPLICATES) -> dict:
    """Compare every score made of logits with MSP, on the networks of each method.

    Parameters
    ----------
    groups : list of study.Group
    metrics : sequence of str
        As `statistics.compare_scores` takes them.
    replicates : int
        Of the bootstrap.

    Returns
    -------
    dict
        Method, then score, then the group's title, then metric: a `statistics.Comparison`.
    """
    found = {}
    for group in groups:
        for method, runs in group.runs.items():
            for key in OTHERS:
                score = scores.SCORES[key]
                compared = against_msp(runs, score.function, score.fit, metrics, replicates)
                found.setdefault(method, {}).setdefault(key, {})[group.title] = compared
    return found


def counts(comparisons) -> tuple[int, int]:
    """Return of how many comparisons the 95 % interval excludes 0 on the better and on the worse side."""
    return tuple(sum(c.certain and c.better is side for c in comparisons) for side in (True, False))


def verdict_table(found: dict) -> str:
    """Return `by_method` as Markdown: AUROC's mean difference over groups, and in how many the interval excludes 0."""
    rows = []
    for method, row in found.items():
        cells = []
        for key in OTHERS:
            own = [compared["auroc"] for compared in row[key].values()]
            up, down = counts(own)
            mean = 100 * np.mean([c.difference for c in own])
            text = signed(mean) + f" ({up}\u2191\u00a0{down}\u2193)"
            cells.append(f"**{text}**" if max(up, down) == len(own) else text)
        rows.append((name(method), str(len(next(iter(row.values())))), *cells))
    return table(("trained by", "cases", *map(name, OTHERS)), rows)


def in_words(found: dict) -> str:
    """Return, as Markdown, which score of `by_method` gains AUROC on MSP most often, where it loses, and the others."""
    lines = []
    for key in OTHERS:
        every = [compared["auroc"] for row in found.values() for compared in row[key].values()]
        up, down = counts(every)
        mean = 100 * np.mean([c.difference for c in every])
        lines.append((up - down, key, up, down, mean, len(every)))
    lines.sort(reverse=True)
    _, key, up, down, mean, count = lines[0]
    worse = [m for m, row in found.items() if counts([c["auroc"] for c in row[key].values()])[1]]
    text = (
        f"**Of the scores made of logits, {name(key)} gains most often: in {up} of {count} cases the 95 % interval of "
        f"its gain in AUROC over MSP lies above 0, in {down} below (mean {signed(mean)} points).** "
    )
    text += f"It loses on networks trained by {listed(worse)}. " if worse else ""
    others = "; ".join(f"{name(k)} {u} and {d} ({signed(m)})" for _, k, u, d, m, _ in lines[1:])
    return f"{text}Gains and losses of the others, with their mean: {others}."


def of_method(found: dict, method: str) -> dict:
    """Return what `by_method` found of one method, by the group's title and then by score, as figures take it.

    Parameters
    ----------
    found : dict
        What `by_method` returns.
    method : str
        Key of `methods.METHODS`.

    Returns
    -------
    dict of str to dict of str
        Group title, then score.
    """
    row = found.get(method, {})
    titles = dict.fromkeys(title for compared in row.values() for title in compared)
    return {title: {key: compared[title] for key, compared in row.items()} for title in titles}


def ensembles(groups, metrics=("auroc", "aurc"), replicates: int = statistics.REPLICATES) -> list:
    """Compare mutual information with MSP on the ensemble of all seeds: (group, method, members, comparisons) each.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    list of tuple
        Group title, method, number of members, comparisons by metric.
    """
    rows = []
    for group in groups:
        for method, runs in group.runs.items():
            if len(runs) < 2:
                continue
            members = [run.logits for run in runs]
            together = confidence.ensemble(members)
            correct = together.argmax(1) == runs[0].labels
            pair = [[(score, correct)] for score in (scores.log_odds(together), scores.mutual_information(members))]
            rows.append((group, method, len(runs), statistics.compare_scores(*pair, metrics, replicates)))
    return rows


def measured(groups, metrics=("auroc", "augrc"), replicates: int = statistics.REPLICATES) -> list:
    """Compare what was measured on networks with their MSP: (group, method, score, networks, comparisons) each.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    list of tuple
        Group title, method, score, number of networks, comparisons by metric.
    """
    rows = []
    for group in groups:
        for method, runs in group.runs.items():
            for key in MEASURED:
                pairs = [(run, found) for run in runs if (found := measures.load(run, key)) is not None]
                if pairs:
                    plain = [(scores.log_odds(r.logits), r.correct) for r, _ in pairs]
                    other = [(f["score"], f.get("correct", p[1])) for (_, f), p in zip(pairs, plain, strict=True)]
                    compared = statistics.compare_scores(plain, other, metrics, replicates)
                    rows.append((group, method, key, len(pairs), compared))
    return rows


def measured_table(rows) -> str:
    """Return what `measured` finds as Markdown, AUROC and AUGRC: a table for each group, folded."""
    heads = ("trained by", "score", "seeds", "AUROC, points", "AUGRC ×10³")
    parts = {}
    for group, method, key, count, found in rows:
        cells = (name(method), name(key), str(count), difference(found["auroc"]), difference(found["augrc"]))
        parts.setdefault(group.title, []).append(cells)
    return "\n\n".join(
        f"````{{dropdown}} {title}\n{table(heads, cells, words=2)}\n````" for title, cells in parts.items()
    )
