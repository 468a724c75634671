"""Every number of the papers beside what the records say of it, with a verdict."""
