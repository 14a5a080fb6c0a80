"""Hold-out validation: keyframes hidden on purpose tell how a renderer does on this clip."""
