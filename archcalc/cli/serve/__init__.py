"""The playground: functions from JSON to JSON, and what serves them to a page on this machine or as static files."""
