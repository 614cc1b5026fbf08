"""A float network: read from where it lies, as a graph of plain operations, rewritten exactly.

Training and conversion both build on it, and neither on the other's files.
"""
