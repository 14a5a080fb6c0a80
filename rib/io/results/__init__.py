"""A result appears in its folder whole or not at all, beside a manifest of the files that are rib's own."""
