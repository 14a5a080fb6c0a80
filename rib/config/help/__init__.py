"""Help: usage of a verb, and the configs that there are, listed, shown and copied."""
