"""Clips of people to learn from: their store, windows of them in batches, augmentation."""
