"""The studies of `residua lab`: one module each, imported when its name is known."""
