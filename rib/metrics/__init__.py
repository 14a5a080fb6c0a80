"""How good a picture or a motion is, by the definitions that every table of the project uses."""
