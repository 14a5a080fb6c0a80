"""From keyframe poses to poses at any moment: splines, files and the transformer."""
