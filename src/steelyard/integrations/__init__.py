"""Adapters, one file for each framework; each imports that framework and the public names of steelyard, and none is imported here."""
