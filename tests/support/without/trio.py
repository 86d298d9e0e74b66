"""Users do not have it."""

raise ImportError("trio is installed for selenium alone")
