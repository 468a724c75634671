"""A trained run behind a web page and an interface for programs."""
