"""Trained runs put into use: asked, made fast, exported, served, given away."""
