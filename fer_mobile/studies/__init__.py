"""The five studies that this toolkit carries on from: their networks, steps and comparisons.

`networks` and `steps` register what a recipe can name; they are imported when the registries of
`zoo` and `data.steps` are first asked.  `suites` holds the comparisons.
"""
