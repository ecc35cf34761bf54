"""What all remote cameras have in common: the guard on air, the dead-man timer, names and pictures of presets."""
