"""A folder of photos, filtered by expression: scan, filter, report."""
