"""How the programme comes in: files, microphones, encoders; main and backup; sound for those who only listen."""
