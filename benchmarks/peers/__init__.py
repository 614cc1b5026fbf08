"""Other packages on the same faces and photos, each in an environment of its own."""
