"""HumanSlomo: from lists of videos, or any folder of them, to one store of clips."""
