"""From a folder of videos to a data set: cutting, filtering, captions, splits, a report."""
