"""Parts that every preparation of a data set shares: sharded work items, and the store they fill."""
