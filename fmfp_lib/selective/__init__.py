"""A confidence threshold with a guarantee: the answers above it are wrong at most as often as promised. No torch.

A threshold read off a risk-coverage curve promises nothing: it was chosen because these items came out well. Here it is
chosen on calibration items so that, with probability `level` over their draw, its selective risk on new items of the
same kind is at most `risk`. Three methods (``METHODS``) share one exact test: if the accepted items erred at a rate of
`risk` or more, so few errors among so many would be seen with probability 1 - level at most (binomial tail). The
methods differ in how they pay for trying many thresholds, and in what they assume.

``fixed``
    Fixed-sequence testing, as in Learn then Test (Angelopoulos et al. 2021). Thresholds are tried in an order laid down
    beforehand, from the strictest to looser ones, each at the full level; the first failure ends it. Nothing is assumed
    about the score.
``sgr``
    Selection with guaranteed risk (Geifman & El-Yaniv 2017). The steps of a binary search, log2(n) at most, share the
    error probability. This counts the steps of one path, although the errors decide which path is taken; it suffices
    where the risk crosses the promised value once: at most that above some threshold, and more below.
``monotone``
    All thresholds at once; of those that pass, the loosest is taken. The tests share the one level at which any of them
    would pass with probability 1 - level if errors came at a rate of `risk` throughout. It is assumed that the
    selective risk never falls as coverage grows.

All three assume that calibration items and later items are independent draws from one population, that the model and
its score were fixed before (no calibration item served for training, early stopping or a temperature), and that the
threshold is chosen once. If the data shift, nothing is promised. A level of 95 % speaks of the draw of the calibration
items: of a hundred users with items of their own, 95 or more can expect a threshold that keeps the promise, and the
others one that does not.

An item is accepted where its confidence lies *above* the threshold, not at it. Given the value at a fixed place of the
ranking, the calibration items above it are a random sample of what this threshold accepts, so the binomial tail is
exact. Items of equal confidence are accepted or rejected together; with many of them, ``fixed`` is exact under the
assumption of ``monotone``, too.
"""

from .bounds import interval, items_needed, passes, upper_bound
from .choice import METHODS, STEPS, Method, Threshold, above, chance_of_any, choose_by_group, choose_threshold
from .monitoring import Outcome, items_to_check, outcome

__all__ = [
    "METHODS",
    "Method",
    "Outcome",
    "STEPS",
    "Threshold",
    "above",
    "chance_of_any",
    "choose_by_group",
    "choose_threshold",
    "interval",
    "items_needed",
    "items_to_check",
    "outcome",
    "passes",
    "upper_bound",
]
