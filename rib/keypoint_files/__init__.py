"""Keypoints in files: OpenPose, AlphaPose, COCO and Kinetics-skeleton JSON in, OpenPose 1.3 JSON out."""

from rib.keypoint_files.people import PeopleKeypoints
from rib.keypoint_files.read import read_people_keypoints
from rib.keypoint_files.write import write_openpose_json

__all__ = ["PeopleKeypoints", "read_people_keypoints", "write_openpose_json"]
