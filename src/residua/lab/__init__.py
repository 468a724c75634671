"""The laboratory: experiments of the papers to look at."""
