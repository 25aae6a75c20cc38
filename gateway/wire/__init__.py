"""Bytes on a line: command lines, answer lines, data phases. Knows no command's name."""
