"""Colour of pictures: how a clip's look is told, and its pictures to RGB and back, of any depth."""
