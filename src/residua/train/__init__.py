"""Training: the schedule, the loop, and checkpoints that it resumes from."""
