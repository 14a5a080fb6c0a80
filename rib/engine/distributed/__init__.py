"""Processes of one job: environment, launch, rendezvous, sharding."""
