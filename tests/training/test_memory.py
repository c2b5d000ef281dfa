"""Memory that is freed stays with the process."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from fmfp_lib.training import memory
kept = sys.argv[1] == "kept" and memory.keep_freed_memory()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8 << 20)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(kept, faults)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of the C library of Linux")
def test_freed_memory_is_used_again():
    def faults(way):
        words = subprocess.run([sys.executable, "-c", CODE, way], capture_output=True, text=True, check=True)
        return words.stdout.split()

    kept, few = faults("kept")
    if kept != "True":
        pytest.skip("not glibc")
    _, many = faults("given back")
    assert 3 * int(few) < int(many)  # 64 MiB anew: 32 faults with pages of 2 MiB, 16,384 with pages of 4 KiB
