"""Parts of residual networks: shortcuts and blocks."""
