"""HDF5 files: written whole or not at all, and strangers' read without a crash."""
