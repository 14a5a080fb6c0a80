"""One thin file a command: settings in, rooms called, results told."""
