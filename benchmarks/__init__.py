"""Measurements and their results.

Each module measures one thing and says so, with its command and its result file: run it from the
repository's root as ``python -m benchmarks.NAME``.  Results lie in ``benchmarks/results``.
"""
