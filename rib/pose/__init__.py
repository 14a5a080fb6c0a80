"""From video to keypoints and masks: detectors, files, and the tracker that follows one person."""
