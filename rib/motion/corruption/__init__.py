"""Make clean keypoints look like a detector's."""
