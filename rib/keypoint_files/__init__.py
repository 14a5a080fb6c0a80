"""Keypoints in files: OpenPose, AlphaPose, COCO and Kinetics-skeleton JSON in, OpenPose 1.3 JSON out."""

from rib.keypoint_files.people import People
from rib.keypoint_files.read import read_people
from rib.keypoint_files.write import write_openpose

__all__ = ["People", "read_people", "write_openpose"]
