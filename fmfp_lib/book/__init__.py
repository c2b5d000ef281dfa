"""What only this book needs: its studies, comparisons, tables, figures, evidence and claims.

The library beside it, `fmfp_lib`, never imports it.
"""
