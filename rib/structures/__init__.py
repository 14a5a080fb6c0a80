"""Records that the rooms exchange: keypoints, joint sets, keyframes and intervals, boxes."""
