"""What Sphinx is told before it sets the API page: an attribute a line, and no fields or defaults that say nothing."""

import re

UNDERLINE = re.compile(r"\s*-{3,}\s*$")
SHARED = re.compile(r"(\s*)(\w+(?:, \w+)+) : (.*)$")


def split_attributes(lines: list[str]) -> list[str]:
    """Return a docstring in which attributes that share a line stand one a line, each with the description of all.

    Napoleon does so for parameters alone; of ``n, errors : int`` among attributes it makes one of that name.

    Parameters
    ----------
    lines : list of str
        The docstring's.

    Returns
    -------
    list of str
        Its lines; outside "Attributes" as they were.
    """
    done, at, inside = [], 0, False
    while at < len(lines):
        if at + 1 < len(lines) and UNDERLINE.match(lines[at + 1]) and lines[at].strip():
            inside = lines[at].strip() == "Attributes"
        shared = inside and SHARED.match(lines[at])
        at += 1
        if not shared:
            done.append(lines[at - 1])
            continue
        margin, names, kind = shared.groups()
        inner = [i for i in range(at, len(lines)) if lines[i].startswith(f"{margin} ")]
        outer = next((i for i in range(at, len(lines)) if lines[i].strip() and i not in inner), len(lines))
        end = max((i + 1 for i in inner if i < outer), default=at)
        for name in names.split(", "):
            done += [f"{margin}{name} : {kind}", *lines[at:end]]
        at = end
    return done


def setup(app):
    """Tell Sphinx, before napoleon reads a docstring."""

    def docstring(app, what, name, obj, options, lines):
        lines[:] = split_attributes(lines)

    def signature(app, what, name, obj, options, arguments, returned):
        # A dataclass makes such a default anew for every object, and shows nothing of it.
        return arguments and arguments.replace("<factory>", "..."), returned

    def skip(app, what, name, obj, skipped, options):
        # Python describes the fields of a named tuple by their number; the class's own docstring says what they are.
        return True if type(obj).__name__ == "_tuplegetter" else None

    app.connect("autodoc-process-docstring", docstring, priority=400)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
