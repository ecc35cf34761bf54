"""What the whole relay stands on: the show clock, hold and tape, cues, coded packets, alarms. Imports nothing above."""
