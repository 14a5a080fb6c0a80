"""A net's look at the drawn person: its inputs, its samples, its fit to one clip."""
