"""Train a renderer's net."""
