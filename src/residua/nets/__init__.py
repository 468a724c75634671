"""Networks, exactly as published; each file is one family."""
