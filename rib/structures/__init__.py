"""What the rooms hand to one another: keypoints, joint sets, keyframes and intervals, boxes."""
