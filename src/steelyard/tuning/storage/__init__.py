"""Where finished fits are kept, and where fits run."""
