"""Sound that somebody keeps: takes as they are sung, what is played to the singers, and the files that leave."""
