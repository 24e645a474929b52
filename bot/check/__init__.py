"""`reformbot check`: what the knowledge says about itself, run and reported with file, line and column."""
