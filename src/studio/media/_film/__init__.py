"""Films: what is in a file that somebody kept, its sound by the film's own clock, and what is made of it."""
