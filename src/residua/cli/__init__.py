"""The command `residua`: one module per command."""
