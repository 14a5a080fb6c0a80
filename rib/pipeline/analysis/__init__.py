"""Analysis of a whole clip before any picture is made: cuts, poses, mattes, who is drawn."""
