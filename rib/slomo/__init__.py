"""HumanSlomo: from lists of videos to one store of clips, and the clips in batches for the renderer."""
