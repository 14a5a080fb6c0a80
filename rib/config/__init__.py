"""Composition and checking of configs into plain dicts; only this room and `rib.commands` know Hydra."""
