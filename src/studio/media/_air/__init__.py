"""What happens at the moment of airing: decode, stand in, burn, encode, level."""
