"""What the frameworks need before they are imported."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import would ask the network for a newer version

collect_ignore = [
    "across_runs.py",
    "detection_runs.py",
    "detectors.py",
    "lightning_runs.py",
    "sharded_runs.py",
    "trainer_runs.py",
    "yolo_runs.py",
]  # parts and programs, which need their framework
