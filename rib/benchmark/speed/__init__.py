"""`rib benchmark speed=true`: time and memory by stage, beside the interpolator alone."""
