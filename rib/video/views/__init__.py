"""Views of a clip: subsampled, cut in time or space, held in memory, without duplicated pictures."""
