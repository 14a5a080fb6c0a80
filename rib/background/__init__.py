"""Frame interpolation between two keyframes, and the scene without the person."""
