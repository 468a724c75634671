"""Objects in pictures: the detector of the 2015 paper, and what its boxes are worth."""
