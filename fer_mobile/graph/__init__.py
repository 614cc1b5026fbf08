"""A float network as a graph of plain operations, and the exact passes that rewrite it."""
