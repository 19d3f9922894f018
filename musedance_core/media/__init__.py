"""Pictures and videos: reading, fitting, writing, contact sheets and beat plots."""
