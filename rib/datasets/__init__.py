"""Data sets that exist elsewhere, made into stores of ours."""
