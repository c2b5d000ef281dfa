"""How sure a difference is: paired bootstrap over test images and seeds, sign tests. No torch.

A bootstrap replicate draws n test images with replacement. Instead of sorting every replicate, each classifier's
images are sorted once and a replicate is a vector of counts, how often each image was drawn: every metric has a form
that takes counts, and gives exactly what the functions of `fmfp_lib.metrics` give for the repeated images.
"""

from .augrc import augrc_from, augrc_sources, interaction, reordered
from .bootstrap import compare_methods, paired_bootstrap
from .comparison import HIGHER_IS_BETTER, RANKING, REPLICATES, SUMS, Comparison, from_replicates
from .ranked import Ranked
from .scores import SCORE_STATISTICS, compare_scores
from .seeds import mean_over_drawn_seeds, over_seeds
from .significance import correlation_replicates, holm, rank_correlation, sign_test

__all__ = [
    "Comparison",
    "HIGHER_IS_BETTER",
    "RANKING",
    "REPLICATES",
    "Ranked",
    "SCORE_STATISTICS",
    "SUMS",
    "augrc_from",
    "augrc_sources",
    "compare_methods",
    "compare_scores",
    "correlation_replicates",
    "from_replicates",
    "holm",
    "interaction",
    "mean_over_drawn_seeds",
    "over_seeds",
    "paired_bootstrap",
    "rank_correlation",
    "reordered",
    "sign_test",
]
