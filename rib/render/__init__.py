"""The person, drawn in the poses in between."""
