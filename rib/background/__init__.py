"""What stands between two keyframes: frame interpolators, and the scene without the person."""
