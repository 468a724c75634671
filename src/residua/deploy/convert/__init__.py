"""A trained network as a file for other systems, with its preprocessing bound in."""
