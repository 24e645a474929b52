"""Text → Query: clean, split, places, what is asked, whom it concerns, what came before."""
