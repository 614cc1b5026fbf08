"""Runs TensorFlow Lite files: the interpreter, the graph of a file, and the exported classifier."""
