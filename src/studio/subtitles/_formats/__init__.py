"""Cues as files: one inner form, `Track`, and every form that it is read from and written to."""
