"""What all drivers stand on: links, properties, outcomes, and what a device says it can do. Imports nothing above."""
