"""The pictures of a study."""

from steelyard.report import Report, pictures


def by_key(data):
    return {picture.key: picture for picture in pictures.pictures(Report.from_json(data))}
