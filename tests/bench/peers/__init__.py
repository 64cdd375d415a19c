"""The same work done by others, measured in the same run. Their packages never enter our environment."""
