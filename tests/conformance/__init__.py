"""The dialects' tables against accounts of the manuals that were made without them."""
