"""Proof on real cells: four weightings of one small U-Net on images of nuclei, many of which touch.

    python -m examples.nuclei DATA

data -> weights -> train (net) -> measure -> compare -> table, picture
"""
