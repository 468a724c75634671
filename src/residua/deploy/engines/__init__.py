"""What a net can be computed by: each engine writes files that its own package alone can use."""
