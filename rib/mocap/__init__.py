"""Motion capture in (AMASS, BVH, ASF/AMC, synthetic people) and cameras that project it.

A reader maps whatever it finds to 19 joints in metres, right-handed with y up: the axes of the whole house.
"""
