"""Surfaces and other gear over MIDI."""
