"""Readers of motion capture: AMASS, BVH, ASF/AMC, files of joints."""
