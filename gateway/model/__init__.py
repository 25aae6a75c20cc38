"""What passes between the two sides: requests, results, events. Names no dialect and does nothing."""
