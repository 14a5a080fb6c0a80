"""Where configs are composed, checked and turned into plain dicts; with `rib.commands` the only room that
knows Hydra.
"""
