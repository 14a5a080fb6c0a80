"""Writing of videos: containers, encoders, sound, metadata."""
