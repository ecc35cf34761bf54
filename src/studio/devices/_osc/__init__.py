"""Sound desks, and anything else, over OSC."""
