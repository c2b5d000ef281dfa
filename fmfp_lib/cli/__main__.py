"""``python -m fmfp_lib.cli``, as torchrun and the grid call it."""

from . import main

main()
