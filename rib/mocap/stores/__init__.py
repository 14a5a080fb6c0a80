"""Stores of motion capture: ours and the reference's, and a bank of windows in memory."""
