"""What maintainers run to make what is shipped: models, their cards, golden vectors, photos."""
