"""Synthesis of output frames, interval by interval: keyframe window, synthesiser, compositor."""
