"""Completion in the shell: the words that can follow, their index, and what bash, zsh and fish are told."""
