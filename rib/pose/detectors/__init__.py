"""Detectors of people and landmarks: detections, what a person looks like, filters."""
