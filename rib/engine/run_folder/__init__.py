"""The run folder: identity, versions, the state of the code, a fingerprint of the data, status."""
