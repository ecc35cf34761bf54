"""OBSBOT cameras over OSC: model and driver."""
