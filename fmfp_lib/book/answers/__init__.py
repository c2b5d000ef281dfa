"""Solutions of the exercises that read a figure, computed from what the figure draws.

Each function takes a figure's data and returns sentences for `solution`. So they stay true when the runs change.
"""

from .comparisons import (
    added,
    by_networks,
    from_value,
    good_on_all,
    judges,
    matching,
    narrowed,
    nearest_cells,
    only_calibrated,
    open_lines,
    widest_kind,
)
from .curves import (
    above_promise,
    beginnings,
    bins,
    coverage_at,
    ends,
    halved_risk,
    least_ece,
    opening,
    over_confidence,
    steepest,
    tempered,
    widest_gap,
)


def solution(number: int, text: str) -> str:
    """Return the folded solution of an exercise.

    Parameters
    ----------
    number : int
        Of the exercise.
    text : str
        Markdown.

    Returns
    -------
    str
        Markdown.
    """
    return f"````{{dropdown}} Solution of exercise {number}\n{text}\n````"
