"""Where configs are composed, checked and made plain dicts; only this room and `rib.commands` know Hydra."""
