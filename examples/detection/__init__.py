"""Do class weights help small detectors on blood cells, 85 % of which are red?

    python -m examples.detection DATA

cells -> ssd, yolo -> measure -> table
"""
