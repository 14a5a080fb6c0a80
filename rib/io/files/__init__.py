"""Files written whole or not at all: temporaries, locks, streams; what others name is looked at first."""
