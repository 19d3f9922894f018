"""Data set preparation: from a folder of videos to clips with captions, splits and a report."""
