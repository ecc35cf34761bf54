"""The twin of OBS, for machines without one."""
