"""The chain: what its stages are, how they are put together, and what comes out."""
