"""A library of photos, filtered by expression.

`scan` finds the photos and gives a row for each, which an engine of `engines` computes and `store`
keeps; `filter` says which rows match; `run` gives them to `sinks`.
"""
