"""Poses as pictures on tensors: what a renderer and its discriminators are told about the person."""
