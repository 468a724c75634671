"""Trained networks put into use: fast engines, files for other systems, and a server."""
