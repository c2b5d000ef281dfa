"""The paper's claims, C1 to C15: what each says, the test that decides it, the verdict.

A test is a list of comparisons, each with the range that the claim gives it (lower, higher, no further than), one
metric for each part of the claim. `verdicts.decide` makes a verdict of the comparisons of a part, from their mean over
networks and data and from each of them, and `verdicts.combine` of the parts. No verdict is typed in. Only finished runs
count, of seeds that had no part in choosing the regime; comparisons of fewer than three seeds decide nothing.

The tests were written down before they were run; the differences in accuracy, AUROC, AURC and ECE at classroom scale
were known by then from the home page. The rules that make verdicts of them were made stricter later, most recently when
*undecided* was parted from *contradicted* and one metric was chosen for each part (see the page on verdicts).
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import repeat

from ..methods import FLAT
from ..statistics import REPLICATES
from . import claims_published, evidence, lookup, names, rungs, special_evidence, study, verdicts
from .evidence import CONTEXT, HIGHER, LOWER, RANKED, TESTED, Evidence, Runs, compare_all, each


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes
    ----------
    id : str
        ``C1`` to ``C15``.
    wording : str
        What it says, in this book's words.
    section : str
        Where the paper makes it.
    test : str
        What decides it, fixed before looking.
    gather : callable
        From a list of runs to the evidence.
    published : callable
        What the paper's own tables say about it, in words; empty if they hold nothing.
    needs : str
        What is missing where it cannot be tested.
    on_vgg : bool
        Whether it is about VGG alone; the others are tested on every network.
    parts : tuple of str
        What it consists of: a part without evidence is *not testable here*.
    """

    id: str
    wording: str
    section: str
    test: str
    gather: Callable
    published: Callable = lambda: ""
    needs: str = "finished runs of the baseline and of the methods, three seeds each"
    on_vgg: bool = False
    parts: tuple[str, ...] = ()

    @property
    def tally(self) -> str:
        """In how many of the paper's own cells it holds; empty where no table has any."""
        return claims_published.tally(self.id)


def _compared(id, wording, section, test, calls, published=lambda: "") -> Claim:
    """Return a claim on differences between methods, which `evidence.compare_all` takes; every call names its part."""
    parts = tuple(dict.fromkeys(call[0] for call in calls))
    return Claim(id, wording, section, test, lambda runs: compare_all(runs, calls), published, parts=parts)


_MEAN = {verdicts.FOR: "is clearly for it", verdicts.AGAINST: "is clearly against it", verdicts.OPEN: "is open"}


@dataclass(frozen=True)
class Result:
    """A claim with its evidence."""

    claim: Claim
    evidence: tuple[Evidence, ...]

    def on(self, group: str | None = None) -> dict[str, str]:
        """Return the verdict on each part of the claim.

        Parameters
        ----------
        group : str, optional
            Title of the network and data set that alone count; all do if not given.

        Returns
        -------
        dict of str to str
            By part, one of `verdicts.VERDICTS`.
        """
        counts = [e for e in self.evidence if e.decides and group in (None, e.group)]
        return {
            part: verdicts.decide(e.drawn for e in counts if e.part == part)
            for part in dict.fromkeys((*self.claim.parts, *(e.part for e in self.evidence)))
        }

    @cached_property
    def parts(self) -> dict[str, str]:
        """The verdict on each part of the claim, over all networks and data."""
        return self.on()

    @property
    def verdict(self) -> str:
        """One of `verdicts.VERDICTS`."""
        return verdicts.combine(self.parts.values())

    @cached_property
    def groups(self) -> dict[str, str]:
        """The verdict on each network and data set alone, the least accurate first, from the parts tested there."""
        found = {}
        for group in dict.fromkeys(e.group for e in self.evidence if e.decides):
            tested = [v for v in self.on(group).values() if v != verdicts.UNTESTED]
            found[group] = verdicts.combine(tested)
        return found

    @property
    def count(self) -> str:
        """How many comparisons decided it, and how."""
        deciding = [e for e in self.evidence if e.decides]
        positions = [e.position for e in deciding]
        if not positions:
            return "for context only"
        support, oppose = positions.count(verdicts.FOR), positions.count(verdicts.AGAINST)
        several = "s" if len(positions) > 1 else ""
        text = f"{len(positions)} comparison{several}: {support} clearly for the claim, {oppose} clearly against it"
        if not support and not oppose:
            text = f"{len(positions)} comparison{several}, none clear alone"
        if len(self.parts) > 1 or len(positions) == 1:
            return text
        return f"{text}; their mean {_MEAN[verdicts.pooled([e.drawn for e in deciding]).position]}"

    @property
    def why(self) -> str:
        """What made the verdict, which is the parts by theirs or what is missing."""
        if self.verdict == verdicts.UNTESTED:
            return f"needs {self.claim.needs}"
        if len(self.parts) == 1:
            return self.count
        groups = {v: [part for part, own in self.parts.items() if own == v] for v in verdicts.VERDICTS}
        return "; ".join(f"{v}: {', '.join(parts)}" for v, parts in groups.items() if parts)


# -- the claims -----------------------------------------------------------------------------------------------

_MARGIN = f"{100 * special_evidence.NEGLIGIBLE:g}"
_FROM, _TO, _LAST = (100 * share for share in (*special_evidence.MIDDLE, 1 - special_evidence.END[0]))
_WINDOWS = (
    f"from {_FROM:.0f} to {_TO:.0f} % of the epochs (after the learning rate's first fall, before averaging "
    f"starts) and over the last {_LAST:.0f} %"
)
_COVERAGES = ", ".join(f"{100 * c:.0f}" for c in evidence.COVERAGES)
_NORM = f"{100 * special_evidence.PERTURBATION:.0f}"
_BOOTSTRAP = "95 % paired bootstrap over test images and seeds"

CLAIMS = (
    _compared(
        "C1", "Mixup, label smoothing, focal loss, CS-KD and the L1 norm calibrate: their ECE is lower.", "section 3.2",
        f"ECE minus the baseline's, {_BOOTSTRAP}; claimed lower. Each method is tested separately.",
        each({"ece": LOWER}), claims_published.ece,
    ),
    _compared(
        "C2",
        "The same methods generally make errors harder to find: lower AUROC and higher AURC, across networks and data.",
        "section 3.2, figures 2 and 3, tables 1 and 4",
        f"AUROC minus the baseline's, {_BOOTSTRAP}; claimed lower. Each method is tested separately. "
        "AUROC leaves accuracy out; AURC, which falls with fewer errors too, stands beside it for context.",
        each({"auroc": LOWER, "aurc": HIGHER | CONTEXT}), claims_published.harm,
    ),
    _compared(
        "C3", "At a given coverage the baseline has a lower selective risk than each calibration method.",
        "section 3.2, figure 2 (b)",
        f"The mean of the selective risks at {_COVERAGES} % coverage minus the baseline's, {_BOOTSTRAP}; claimed "
        "higher. Each method is tested separately; each coverage stands beside it for context (until the runs of "
        "“Where the effects begin” the coverages were 60 to 90 %).",
        each({"selective_risk": HIGHER} | dict.fromkeys(evidence.RISKS, HIGHER | CONTEXT)),
    ),
    Claim(
        "C4", "Temperature scaling fitted on validation data does not help AUROC but lowers it; fitted on test data "
        "it hardly helps.", "section 3.2, figure 4",
        f"AUROC at the temperature of smallest NLL minus the unscaled baseline's, {_BOOTSTRAP}. It lowers AUROC if "
        f"the change lies below 0, and does not help if the gain is below {_MARGIN} points; it hardly helps if the "
        f"change is within {_MARGIN} points either way, less than half of the smallest gain by FMFP in the paper's "
        "Table 2. The claim has three parts.",
        special_evidence.temperature, parts=special_evidence.TEMPERATURE,
    ),
    _compared(
        "C5", "Label smoothing and mixup make correct predictions under-confident: ECE of all predictions falls, ECE "
        "of the correct ones rises, and correct and incorrect overlap more.", "section 3.3, figures 5 and 6",
        "Against the baseline, " + _BOOTSTRAP + ": ECE claimed lower; mean confidence of correct predictions claimed "
        "lower (their ECE is one minus it); overlap, the smallest sum over all thresholds of the share of correct "
        "predictions rejected and of incorrect ones accepted, claimed higher. Each method is tested in three parts.",
        [
            (f"{words} ({names.name(m)})", "baseline", m, quantity, claimed)
            for words, quantity, claimed in (("lower ECE of all", "ece", LOWER),
                                             ("less confident when correct", "confidence_right", LOWER),
                                             ("more overlap", "overlap", HIGHER))
            for m in ("label_smoothing", "mixup")
        ],
    ),
    Claim(
        "C6", "Reliable overfitting: late in training AUROC falls while accuracy still rises.", "section 4.1, figure 8",
        f"The baseline's AUROC on test images, averaged {_WINDOWS}: the second minus the first, Student's 95 % "
        "interval over seeds; claimed lower. Where accuracy, averaged the same way, does not rise, a comparison does "
        "not count for the claim; where it does not clearly rise, it is not clearly for the claim.",
        special_evidence.overfitting,
    ),
    _compared(
        "C7", "Flat minima (SAM, SWA, FMFP) find errors better than the baseline and CRL.",
        "section 4.2 and supplement C.2, tables 2 and 5, figures 11 and 16",
        f"AUROC minus the other method's, {_BOOTSTRAP}; claimed higher. One part for each method against each of the "
        "two. AURC and FPR-95%TPR stand beside it for context.",
        [
            (f"{names.name(m)} against {names.name(other)}", other, m, quantity, claimed)
            for other in ("baseline", "crl") for m in FLAT
            for quantity, claimed in RANKED.items()
        ],
        claims_published.flat,
    ),
    _compared(
        "C8", "Of SAM, SWA and FMFP, FMFP is generally the best.", "section 4.2, table 2",
        f"AUROC minus SAM's and SWA's, {_BOOTSTRAP}; claimed higher. One part for each of the two; AURC stands beside "
        "it for context.",
        [
            (f"against {names.name(other)}", other, "fmfp", quantity, claimed)
            for other in ("sam", "swa") for quantity, claimed in (("auroc", HIGHER), ("aurc", LOWER | CONTEXT))
        ],
        claims_published.best,
    ),
    _compared(
        "C9", "FMFP also calibrates: lower ECE, NLL and Brier score.", "section 4.2, table 2",
        f"ECE, NLL and Brier score minus the baseline's, {_BOOTSTRAP}; claimed lower. "
        "Each metric is tested separately.",
        [(names.DISPLAY[m][1].split()[0], "baseline", "fmfp", m, LOWER) for m in ("ece", "nll", "brier")],
        claims_published.calibration,
    ),
    _compared(
        "C10", "FMFP lowers the confidence of errors and keeps that of correct predictions, so that the gap grows.",
        "section 4.2, figures 9 and 10",
        f"Mean confidence of incorrect predictions minus the baseline's, claimed lower; of correct ones, claimed to "
        f"fall by less than {100 * evidence.KEPT:.0f} points; their gap, claimed higher; {_BOOTSTRAP}. The claim "
        "has three parts.",
        [
            ("lower on errors", "baseline", "fmfp", "confidence_wrong", LOWER),
            ("kept on correct ones", "baseline", "fmfp", "confidence_right", {"above": -evidence.KEPT}),
            ("larger gap", "baseline", "fmfp", "confidence_gap", HIGHER),
        ],
    ),
    Claim(
        "C11", "The advantage holds on corrupted images.", "section 4.2, table 3",
        "AUROC, averaged over corruptions and severities, FMFP minus the baseline and minus CRL, 95 % paired bootstrap "
        "over test images (the same in every cell) and seeds; claimed higher. One part for each of the two; AURC and "
        "FPR-95%TPR stand beside it for context.",
        special_evidence.shifted, lambda: claims_published.other("table3", "Table 3 (CIFAR-10-C)"),
        "the measure “shift” beside the records of FMFP, the baseline and CRL",
        parts=tuple(f"against {names.name(other)}" for other in ("baseline", "crl")),
    ),
    Claim(
        "C12", "Flat minima mitigate reliable overfitting.", "section 4.2, figure 12",
        f"AUROC on test images, averaged {_WINDOWS}: the second minus the first, less the baseline's of the same seed, "
        "Student's 95 % interval; claimed higher. Each method is tested separately, only where the baseline's AUROC "
        "clearly falls, since elsewhere there is nothing to mitigate. "
        "Whether it falls is judged on other seeds than those compared.",
        special_evidence.mitigation,
        needs="a group in which the baseline's AUROC clearly falls late in training",
        parts=tuple(map(names.name, FLAT)),
    ),
    Claim(
        "C13", "FMFP finds errors better than ConfidNet does (VGG).", "supplement C.2, figure 15",
        f"AUROC of FMFP minus that of ConfidNet on the baseline's predictions, {_BOOTSTRAP}; claimed higher. AURC and "
        "FPR-95%TPR stand beside it for context.",
        special_evidence.confidnet,
        needs="VGG runs of FMFP and the baseline, with the measure “confidnet” beside the baseline's",
        on_vgg=True,
    ),
    Claim(
        "C14", "The advantage holds on Tiny-ImageNet.", "supplement C.2, table 5",
        "None was made here; the paper's own numbers stand below.",
        lambda runs: [], lambda: claims_published.other("table5", "Table 5"),
        "runs on Tiny-ImageNet, which need a GPU",
    ),
    Claim(
        "C15", "Flatter minima have a larger confidence gap between correct and incorrect predictions.",
        "section 4.1, figure 7",
        f"Over the runs of the baseline, SAM, SWA and FMFP on one network: Spearman's correlation between the rise of "
        f"the training loss under a random perturbation of {_NORM} % of each filter's norm and the gap on test images, "
        "95 % bootstrap over methods, the same ones on every network, since the runs of one are alike; claimed "
        "negative. SAM's sharpness and the Hessian's largest eigenvalue stand beside it for context. Only networks "
        "with flatness measured on all four methods count; the rest are context.",
        special_evidence.flat_minima,
        needs="the measure “flatness” beside records of the baseline, SAM, SWA and FMFP",
    ),
)  # fmt: skip


def all_groups() -> list[study.Group]:
    """Return the finished runs that the claims are tested on: the ladder's, the least accurate baseline first."""
    return sorted(rungs.groups(), key=lambda group: Runs(group).accuracy)


def groups_of(chosen: study.Study) -> list[study.Group]:
    """Return the runs that a notebook tests the claims on.

    Its study's methods are trained where no record is found; any other method of the claims counts where all seeds
    have finished. At classroom scale the ladder's rungs come with them.
    """
    groups = []
    for network in chosen.networks:
        group = chosen.runs(network)
        others = [m for m in TESTED if m not in group.runs]
        planned = lookup.plan(others, chosen.seeds, scale=chosen.scale, dataset=chosen.dataset, network=network)
        groups.append(replace(group, runs=group.runs | lookup.whole(planned)))
    if chosen.scale != "classroom":
        return groups
    # A rung stands for the same runs of the study, since it has their other seeds too.
    planned = {settings.hash() for rung in rungs.every() for settings in rung.all_settings()}
    own = [g for g in groups if not planned.issuperset(record.settings.hash() for record in g.records)]
    sized = [replace(g, size=g.records[0].settings.train_size) for g in own]
    return sorted(sized + rungs.groups(), key=lambda group: Runs(group).accuracy)


def evaluate(groups=None, replicates: int = REPLICATES, only=None, processes: int = 1) -> dict[str, Result]:
    """Put every claim to its test.

    Parameters
    ----------
    groups : list of study.Group, optional
        The runs that count; `all_groups` if not given.
    replicates : int
        Of each bootstrap.
    only : sequence of str, optional
        Ids; all if not given.
    processes : int
        Among which the claims are shared out; one if `groups` are given.

    Returns
    -------
    dict of str to Result
        By the claim's id.
    """
    wanted = [claim for claim in CLAIMS if only is None or claim.id in only]
    if processes > 1 and groups is None:
        ids = [claim.id for claim in reversed(wanted)]  # the last first, for C11 takes longest
        with ProcessPoolExecutor(processes) as pool:
            evidence = dict(zip(ids, pool.map(_evidence, ids, repeat(replicates)), strict=True))
        return {claim.id: Result(claim, evidence[claim.id]) for claim in wanted}
    runs = [Runs(group, replicates) for group in (all_groups() if groups is None else groups)]
    of_vgg = [r for r in runs if r.network.startswith("vgg")]
    return {claim.id: Result(claim, tuple(claim.gather(of_vgg if claim.on_vgg else runs))) for claim in wanted}


def _evidence(name, replicates):
    """Return the evidence on one claim, in a process of its own."""
    return evaluate(_groups(), replicates, [name])[name].evidence


_groups = cache(all_groups)  # read once in each process
