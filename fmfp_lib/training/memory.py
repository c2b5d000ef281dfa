"""What training asks of the machine."""

import ctypes
import sys


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, on Linux with glibc; return whether it does.

    A step frees all its activations and the next asks for as many. By default the C library gives large blocks back
    to the system each time, which hands them out again page by page, filled with zeros: a fifth of a DenseNet's step.

    Returns
    -------
    bool
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return False
    trim_threshold, mmap_threshold = -1, -3  # glibc's malloc.h
    return bool(mallopt(trim_threshold, 2**31 - 1) and mallopt(mmap_threshold, 2**30))
