"""AT text written for one dialect: read, checked, explained."""
