"""Changing trained networks so that they go on from what they have learned."""
